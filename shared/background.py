"""Tasks that run beside the requests, for as long as the process does."""

import asyncio

_PATIENCE_SECONDS = 0.5


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel, and return when they have ended.

    Cancelled again until then: a library that turns a cancellation into a time-out (redis-py's does on Python 3.11,
    when both come at once) would otherwise keep a task that carries on after errors alive, and us waiting for ever.
    """
    running = {task for task in tasks if not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_PATIENCE_SECONDS)
