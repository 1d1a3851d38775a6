"""Whether an owner may have another job, asked of DynamoDB no oftener than is needed to know it."""

from dataclasses import dataclass, field

from prometheus_client import Counter

from services.processor.domain.quotas import QuotaExceeded, Quotas, Usage
from services.processor.stores.jobs import Jobs

REFUSED = Counter("mayfly_quota_refusals_total", "Jobs that were not accepted because of a quota.", ["setting"])
_MOST_OWNERS = 10_000


@dataclass(slots=True)
class Admission:
    """What it lets in unasked is little: a fleet of n may exceed a quota by n tenths of what was left of it."""

    jobs: Jobs
    quotas: Quotas
    _unasked: dict[str, int] = field(default_factory=dict)

    async def check(self, owner: str) -> None:
        """May be asked once for each job that is to be accepted.

        Raises:
            QuotaExceeded: the owner has as many as one may.
            Unavailable: it is not known.
        """
        left = self._unasked.get(owner, self.quotas.unasked(Usage()))
        if not left:
            usage = await self.jobs.usage_of(owner)
            try:
                self.quotas.check(usage)
            except QuotaExceeded as refusal:
                REFUSED.labels(refusal.setting).inc()
                raise
            left = self.quotas.unasked(usage) + 1
        if len(self._unasked) >= _MOST_OWNERS:
            self._unasked.clear()
        self._unasked[owner] = left - 1
