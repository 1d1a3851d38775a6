"""Waiting for what another process will have done soon."""

import asyncio
from collections.abc import Awaitable, Callable

INTERVAL_SECONDS = 0.05


async def eventually(condition: Callable[[], Awaitable[bool]], *, timeout_seconds: float = 20.0) -> None:
    """Returns once the condition holds; AssertionError when it does not in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_seconds
    while not await condition():
        assert loop.time() < deadline, f"{condition.__name__} did not hold within {timeout_seconds:g} s"
        await asyncio.sleep(INTERVAL_SECONDS)
