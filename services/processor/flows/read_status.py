"""How is my job?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.processor.domain.job_names import JobKey, parse_processing_id
from services.processor.domain.progress import Progress
from services.processor.stores.job_watch import JobWatch, until_ended
from services.processor.stores.jobs import Jobs
from shared import clock
from shared.telemetry.context import bind


@dataclass(frozen=True, slots=True)
class ReadStatus:
    jobs: Jobs
    watch: JobWatch
    now: clock.Clock

    async def __call__(
        self, owner: str, raw_processing_id: str, *, wait_seconds: float, no_more: Callable[[], Awaitable[bool]]
    ) -> Progress:
        """The job's state, after waiting for its end for so long. A record that lags behind its manifest is mended.

        Raises:
            ValidationFailed: that is no id.
            JobNotFound: the owner has no such job.
            Unavailable: it is not known now.
        """
        key = JobKey(owner, parse_processing_id(raw_processing_id, "processing_id"))
        bind(job_id=key.processing_id)
        job = await self.jobs.find(key)
        job = await until_ended(self.jobs, job, wait_seconds=wait_seconds, no_more=no_more)
        return await self.watch.progress(job, now_ms=round(self.now() * 1000))
