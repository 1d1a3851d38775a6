"""How does my job get on?"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from services.processor.domain.job_names import JobKey, parse_processing_id
from services.processor.domain.progress import Progress
from services.processor.stores.job_watch import JobWatch
from services.processor.stores.jobs import Jobs
from services.processor.stores.stream_places import StreamPlaces
from shared import clock
from shared.telemetry.context import bind

_SHORTEST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 1.0
_PAUSE_SECONDS_A_PART = 0.001
"""A look reads the record of each part: the more there are, the seldomer."""


@dataclass(frozen=True, slots=True)
class FollowJob:
    jobs: Jobs
    watch: JobWatch
    places: StreamPlaces
    now: clock.Clock

    async def __call__(self, owner: str, raw_processing_id: str) -> AsyncGenerator[Progress, None]:
        """The job's state, looked at again and again until it has ended, at least once.

        Raises:
            ValidationFailed: that is no id.
            JobNotFound: the owner has no such job.
            RateLimited: the owner follows too many.
            Unavailable: it is not known now.
        """
        key = JobKey(owner, parse_processing_id(raw_processing_id, "processing_id"))
        bind(job_id=key.processing_id)
        with self.places.taken_by(owner):
            while True:
                job = await self.jobs.find(key)
                progress = await self.watch.progress(job, now_ms=round(self.now() * 1000))
                yield progress
                if progress.job.outcome is not None:
                    return
                pause = job.parts * _PAUSE_SECONDS_A_PART
                await asyncio.sleep(min(max(pause, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS))
