"""Stop my job."""

from dataclasses import dataclass

from services.processor.domain.job_names import JobKey, parse_processing_id
from services.processor.domain.manifests import cancelled
from services.processor.domain.outcomes import JobError, JobState
from services.processor.domain.progress import Progress, progress_of
from services.processor.domain.results import JobEnded
from services.processor.stores.jobs import Jobs
from services.processor.stores.outcomes import Outcomes
from shared import clock
from shared.telemetry.context import bind

_BY_OWNER = JobError("job-cancelled", "its owner cancelled it")


@dataclass(frozen=True, slots=True)
class CancelJob:
    jobs: Jobs
    outcomes: Outcomes
    now: clock.Clock

    async def __call__(self, owner: str, raw_processing_id: str) -> Progress:
        """End the job by a manifest that says so, unless another one has ended it. Asking again changes nothing.

        Workers learn of it at their next heartbeat; what they do until then counts for nothing.

        Raises:
            ValidationFailed: that is no id.
            JobNotFound: the owner has no such job.
            JobEnded: it has completed or failed.
            Unavailable: it is not known whether it was cancelled; asking again is right.
        """
        key = JobKey(owner, parse_processing_id(raw_processing_id, "processing_id"))
        bind(job_id=key.processing_id)
        job = await self.jobs.find(key)
        now_ms = round(self.now() * 1000)
        if job.outcome is None:
            manifest = cancelled(job, _BY_OWNER, attempts=job.lease.attempts, finished_at_ms=now_ms)
            job = await self.outcomes.commit(key, manifest)
        if job.state is not JobState.CANCELLED:
            raise JobEnded(key.processing_id, job.state)
        return progress_of(job, (), now_ms=now_ms)
