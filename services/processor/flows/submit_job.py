"""A client asks for a job."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from services.processor.domain.contexts import ContextIssuer, Requester
from services.processor.domain.job_names import JobKey
from services.processor.domain.jobs import Job
from services.processor.domain.submissions import Submission, chosen_id
from services.processor.stores.acceptance import Acceptance
from services.processor.stores.job_requests import JobRequests
from services.processor.stores.job_watch import until_ended
from services.processor.stores.jobs import Jobs
from shared import clock
from shared.ids import new_id
from shared.telemetry.context import bind, current_trace
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class SubmitJob:
    jobs: Jobs
    requests: JobRequests
    acceptance: Acceptance
    contexts: ContextIssuer
    now: clock.Clock

    async def __call__(
        self, caller: Caller, submission: Submission, *, wait_seconds: float, no_more: Callable[[], Awaitable[bool]]
    ) -> Job:
        """Accept the job, or find that it was accepted before; then wait for its end, for so long.

        Raises:
            ValidationFailed: id, pipeline, source or config are wrong.
            QuotaExceeded, QueueFull, JobConflict, Unavailable: as it is accepted.
        """
        job = await self._parse(caller.user_id, submission)
        signed = self.contexts.sign(job.subject, Requester.of(caller.claims), job.submitted_at_ms // 1000)
        job = replace(job, context=signed)
        bind(job_id=job.key.processing_id)
        standing = await self.acceptance.accept(job)
        return await until_ended(self.jobs, standing, wait_seconds=wait_seconds, no_more=no_more)

    async def _parse(self, owner: str, submission: Submission) -> Job:
        return Job(
            key=JobKey(owner, chosen_id(submission) or new_id("job")),
            request=await self.requests.of(owner, submission),
            submitted_at_ms=round(self.now() * 1000),
            traceparent=current_trace().traceparent,
        )
