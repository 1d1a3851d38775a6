"""Accepting a job: from then on it comes to its end, whatever dies."""

from dataclasses import dataclass

from services.processor.domain.job_names import JobConflict, JobKey
from services.processor.domain.jobs import Job
from services.processor.domain.messages import WorkMessage
from services.processor.domain.outcomes import JobState
from services.processor.domain.quotas import QueueFull, QuotaExceeded
from services.processor.settings import ProcessorSettings
from services.processor.stores.admission import Admission
from services.processor.stores.jobs import Jobs
from services.processor.stores.work_queue import WorkQueue
from shared.errors import FieldError, Unavailable
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Acceptance:
    jobs: Jobs
    admission: Admission
    queue: WorkQueue
    settings: ProcessorSettings

    async def accept(self, job: Job) -> Job:
        """The job as it stands, which is this one or one that was accepted before.

        Raises:
            QuotaExceeded: the owner has as many open jobs as one may; nothing was accepted.
            QueueFull: all owners together have; nothing was accepted.
            JobConflict: the owner's job of this id was another request.
            Unavailable: nothing was accepted, or it is not known.
        """
        await self._admit(job.key)
        standing = await self.jobs.claim(
            job,
            sweep_at_ms=round(job.submitted_at_ms + self.settings.sweep_after_seconds * 1000),
            expires_at=job.submitted_at_ms // 1000 + self.settings.job_record_seconds,
        )
        if standing.request.fingerprint != job.request.fingerprint:
            raise _conflict(job.key.processing_id)
        if standing.state is JobState.ACCEPTED and not standing.lease.fence:
            # Also of a request that was accepted before and has no worker yet: who accepted it may have died before
            # the message was sent. A double does no harm.
            await self._enqueue(standing)
        return standing

    async def _admit(self, key: JobKey) -> None:
        try:
            await self.admission.check(key.owner)
        except (QuotaExceeded, QueueFull):
            if await self.jobs.get(key) is None:  # to ask for one's own job again is no further one
                raise

    async def _enqueue(self, job: Job) -> None:
        try:
            await self.queue.send(WorkMessage(job.key, None, job.traceparent))
            log.info("job_accepted")
        except Unavailable as error:
            # It is accepted all the same: the sweeper sends the message again.
            log.warning("job_accepted_without_message", detail=error.detail)


def _conflict(processing_id: str) -> JobConflict:
    detail = (
        f"The job {processing_id} exists with another data_source or config. Choose another id, or repeat that one."
    )
    return JobConflict(
        detail,
        errors=[FieldError("/processing_id", "is taken by another request")],
        extensions={"processing_id": processing_id},
        headers={"Location": f"/api/status/{processing_id}"},
    )
