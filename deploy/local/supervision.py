"""Instances may die at any moment, so what dies is started again."""

import asyncio
from collections.abc import Awaitable, Callable

from deploy.local.console import say_of
from shared import clock
from shared.testing.processes import ChildFailed
from shared.testing.server import Server

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0
_LIVED_LONG_SECONDS = 30.0


AfterRestart = Callable[[], Awaitable[None]]


async def keep_alive(server: Server, after_restart: AfterRestart | None = None) -> None:
    """Starts the server again whenever it ends, after a pause that grows while it dies young; never returns."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        started_at = clock.monotonic()
        exit_code = await server.child.wait()
        if clock.monotonic() - started_at > _LIVED_LONG_SECONDS:
            pause = _FIRST_PAUSE_SECONDS
        say_of(server.child.name, f"ended ({end_of(exit_code)}); an instance may die at any moment: starting it again")
        back = False
        while not back:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            back = await _started_again(server, after_restart)


async def _started_again(server: Server, after_restart: AfterRestart | None) -> bool:
    try:
        seconds = await server.start()
        if after_restart is not None:
            await after_restart()
    except ChildFailed as error:
        say_of(server.child.name, f"could not be started again: {error}")
        return server.child.running
    say_of(server.child.name, f"is back after {seconds:.1f} s")
    return True


def end_of(exit_code: int) -> str:
    """An exit code in words: "signal 9" or "code 3"."""
    return f"signal {-exit_code}" if exit_code < 0 else f"code {exit_code}"
