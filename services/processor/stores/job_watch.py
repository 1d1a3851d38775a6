"""Looking after a job: how far it has come, and waiting for its end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.processor.domain.jobs import Job
from services.processor.domain.progress import Progress, may_have_ended, progress_of
from services.processor.stores.jobs import Jobs
from services.processor.stores.outcomes import Outcomes
from services.processor.stores.parts import Parts
from shared import clock

_SHORTEST_PAUSE_SECONDS = 0.025
_LONGEST_PAUSE_SECONDS = 0.25
_SHARE_OF_WAIT = 0.08
"""A pause lasts this share of the time waited so far: an answer is late by a small part of what the job took."""


@dataclass(frozen=True, slots=True)
class JobWatch:
    parts: Parts
    outcomes: Outcomes

    async def progress(self, job: Job, *, now_ms: int) -> Progress:
        """How far the job has come. A record that lags behind its manifest is mended.

        Raises:
            Unavailable: it is not known now.
        """
        if job.outcome is not None:
            return progress_of(job, (), now_ms=now_ms)
        records = await self.parts.all_of(job.key)
        if may_have_ended(job, records, now_ms=now_ms):
            job = await self.outcomes.repair(job.key) or job
        return progress_of(job, records, now_ms=now_ms)


async def until_ended(jobs: Jobs, job: Job, *, wait_seconds: float, no_more: Callable[[], Awaitable[bool]]) -> Job:
    """The job as it stands when it has ended, the time is up, or `no_more` says that nobody waits any more."""
    started = clock.monotonic()
    deadline = started + wait_seconds
    while job.outcome is None and (left := deadline - clock.monotonic()) > 0 and not await no_more():
        pause = (clock.monotonic() - started) * _SHARE_OF_WAIT
        await asyncio.sleep(min(max(pause, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS, left))
        job = await jobs.get(job.key) or job
    return job
