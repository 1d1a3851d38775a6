"""Whether the caller stands behind a job: asked before each piece of its work, mostly out of memory."""

from dataclasses import dataclass

from prometheus_client import Counter

from services.processor.domain.contexts import ContextExpired, ContextRefused, ContextTrust, Requester
from services.processor.domain.job_contexts import CallerRevoked
from services.processor.domain.jobs import Job
from services.processor.domain.stored_pipelines import StoredPipeline
from services.processor.domain.work_errors import WaitedTooLong
from shared import clock
from shared.errors import Problem
from shared.telemetry.logs import get_logger
from shared.tokens.revocation_status import RevocationStatus

CONTEXTS = Counter(
    "mayfly_job_contexts_total",
    "Contexts that were looked at, before a piece of a job's work or a run of a triggered pipeline, by outcome.",
    ["outcome"],
)
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JobCallers:
    trust: ContextTrust
    revocations: RevocationStatus
    now: clock.Clock

    async def check(self, asked: Job | StoredPipeline) -> Requester:
        """Who has asked for this very job, or stored this very pipeline, and was not revoked since.

        Raises:
            ContextRefused: the record does not prove it.
            WaitedTooLong: its time is over.
            CallerRevoked: the user, the client, the key of the token or everything was revoked.
            RevocationUnknown: this can't be known now.
        """
        try:
            requester = self._verify(asked)
            if await self.revocations.ends_any(requester.issued):
                raise CallerRevoked
        except Problem as problem:
            CONTEXTS.labels(problem.code).inc()
            if isinstance(problem, ContextRefused):
                log.error("context_refused", reason=problem.reason)  # noqa: TRY400 - the trace says nothing more
            raise
        CONTEXTS.labels("accepted").inc()
        return requester

    def _verify(self, asked: Job | StoredPipeline) -> Requester:
        try:
            return self.trust.verify(asked.subject, asked.context, self.now())
        except ContextExpired as expired:
            raise WaitedTooLong(
                f"the job was not done within {expired.lifetime_seconds} s; submit it again under another id"
            ) from expired
