"""Waiting for a job's end."""

import asyncio
from collections.abc import Awaitable, Callable

from services.processor.domain.jobs import Job
from services.processor.stores.jobs import Jobs
from shared import clock

_FIRST_PAUSE_SECONDS = 0.025
_LONGEST_PAUSE_SECONDS = 0.25
_GROWTH = 1.5


async def until_ended(jobs: Jobs, job: Job, *, wait_seconds: float, no_more: Callable[[], Awaitable[bool]]) -> Job:
    """The job as it stands when it has ended, the time is up, or `no_more` says that nobody waits any more."""
    deadline = clock.monotonic() + wait_seconds
    pause = _FIRST_PAUSE_SECONDS
    while job.outcome is None and (left := deadline - clock.monotonic()) > 0 and not await no_more():
        await asyncio.sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)
        job = await jobs.get(job.key) or job
    return job
