"""Waiting for a job's end."""

import asyncio
from collections.abc import Awaitable, Callable

from services.processor.domain.jobs import Job
from services.processor.stores.jobs import Jobs
from shared import clock

_SHORTEST_PAUSE_SECONDS = 0.025
_LONGEST_PAUSE_SECONDS = 0.25
_SHARE_OF_WAIT = 0.08
"""A pause lasts this share of the time waited so far: an answer is late by a small part of what the job took."""


async def until_ended(jobs: Jobs, job: Job, *, wait_seconds: float, no_more: Callable[[], Awaitable[bool]]) -> Job:
    """The job as it stands when it has ended, the time is up, or `no_more` says that nobody waits any more."""
    started = clock.monotonic()
    deadline = started + wait_seconds
    while job.outcome is None and (left := deadline - clock.monotonic()) > 0 and not await no_more():
        pause = (clock.monotonic() - started) * _SHARE_OF_WAIT
        await asyncio.sleep(min(max(pause, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS, left))
        job = await jobs.get(job.key) or job
    return job
