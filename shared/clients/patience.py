"""Waiting for what is only just starting."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared import clock
from shared.errors import Unavailable

PAUSE_SECONDS = 0.5
Result = TypeVar("Result")


async def patiently(attempt: Callable[[], Awaitable[Result]], *, within_seconds: float) -> Result:
    """The result of the first attempt that finds everything there. For work that may be begun again from its start.

    Raises:
        Unavailable: the last attempt's, once the time is over.
    """
    until = clock.monotonic() + within_seconds
    while True:
        try:
            return await attempt()
        except Unavailable:
            if clock.monotonic() >= until:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
