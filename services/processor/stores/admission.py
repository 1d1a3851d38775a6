"""Whether there may be another job, asked of DynamoDB and SQS no oftener than is needed to know it."""

from dataclasses import dataclass, field

from prometheus_client import Counter

from services.processor.domain.quotas import QueueFull, QuotaExceeded, Quotas, Usage
from services.processor.stores.jobs import Jobs
from services.processor.stores.work_queue import WorkQueue
from shared import clock
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger

REFUSED = Counter("mayfly_quota_refusals_total", "Jobs that were not accepted because of a quota.", ["setting"])
_MOST_OWNERS = 10_000
_FULL_FOR_SECONDS = 1
log = get_logger(__name__)


@dataclass(slots=True)
class QueueRoom:
    """Whether the queue has room. It is asked once for many jobs, and once a second while it is full."""

    queue: WorkQueue
    quotas: Quotas
    now: clock.Clock
    _unasked: int | None = None
    _full_until: float = 0

    async def check(self) -> None:
        """May be asked once for each job that is to be accepted. While SQS does not answer, there is room.

        Raises:
            QueueFull: too much waits.
        """
        if self.now() < self._full_until:
            raise QueueFull
        left = self.quotas.unasked_of_all(0) if self._unasked is None else self._unasked
        if not left:
            left = await self._look() + 1
        self._unasked = left - 1

    async def _look(self) -> int:
        try:
            waiting = await self.queue.waiting()
        except Unavailable as error:
            # A job is as durable without its message; nobody is to be refused for what nobody knows.
            log.warning("queue_depth_unknown", detail=error.detail)
            waiting = 0
        try:
            self.quotas.check_all(waiting)
        except QueueFull:
            self._full_until = self.now() + _FULL_FOR_SECONDS
            raise
        return self.quotas.unasked_of_all(waiting)


@dataclass(slots=True)
class Admission:
    """What it lets in unasked is little: a fleet of n may exceed a quota by n tenths of what was left of it."""

    jobs: Jobs
    quotas: Quotas
    room: QueueRoom
    _unasked: dict[str, int] = field(default_factory=dict)

    async def check(self, owner: str) -> None:
        """May be asked once for each job that is to be accepted.

        Raises:
            QuotaExceeded: the owner has as many as one may.
            QueueFull: all owners together have.
            Unavailable: it is not known.
        """
        try:
            await self._check_owner(owner)
        except QuotaExceeded as refusal:
            REFUSED.labels(refusal.setting).inc()
            raise
        try:
            await self.room.check()
        except QueueFull:
            REFUSED.labels("MAYFLY_MAX_WAITING_MESSAGES").inc()
            raise

    async def _check_owner(self, owner: str) -> None:
        left = self._unasked.get(owner, self.quotas.unasked(Usage()))
        if not left:
            usage = await self.jobs.usage_of(owner)
            self.quotas.check(usage)
            left = self.quotas.unasked(usage) + 1
        if len(self._unasked) >= _MOST_OWNERS:
            self._unasked.clear()
        self._unasked[owner] = left - 1
