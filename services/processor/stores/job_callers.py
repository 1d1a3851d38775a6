"""Whether a job's caller stands behind it: asked before each piece of its work, mostly out of memory."""

from dataclasses import dataclass

from prometheus_client import Counter

from services.processor.domain.job_contexts import CallerRevoked, ContextRefused, ContextTrust
from services.processor.domain.jobs import Job
from shared import clock
from shared.errors import Problem
from shared.telemetry.logs import get_logger
from shared.tokens.revocation_status import RevocationStatus

CONTEXTS = Counter(
    "mayfly_job_contexts_total", "Contexts of jobs that were looked at before a piece of work, by outcome.", ["outcome"]
)
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JobCallers:
    trust: ContextTrust
    revocations: RevocationStatus
    now: clock.Clock

    async def check(self, job: Job) -> None:
        """Returns if somebody has asked for this very job and was not revoked since.

        Raises:
            ContextRefused: the job's record does not prove it.
            WaitedTooLong: the job's time is over.
            CallerRevoked: the user, the client, the key of the token or everything was revoked.
            RevocationUnknown: this can't be known now.
        """
        try:
            caller = self.trust.verify(job, self.now())
            if await self.revocations.ends_any(caller.issued):
                raise CallerRevoked
        except Problem as problem:
            CONTEXTS.labels(problem.code).inc()
            if isinstance(problem, ContextRefused):
                log.error("job_context_refused", reason=problem.reason)  # noqa: TRY400 - the trace says nothing more
            raise
        CONTEXTS.labels("accepted").inc()
