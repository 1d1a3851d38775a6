"""An event loop whose time goes on only when nothing is left to do, and then at once to the next timer.

What a timeout bounds can be counted with it to the microsecond, however slow or loaded the machine is. Nothing that
runs in it may wait for a socket, a thread or a process.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class _Timers(selectors.SelectSelector):
    """Where the loop would sleep until its next timer, that many seconds have passed already."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise AssertionError("all wait for something that can't come")
            self.passed += max(timeout, 0)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._timers = _Timers()
        super().__init__(self._timers)

    def time(self) -> float:
        return self._timers.passed


def run_in_virtual_time(work: Coroutine[Any, Any, Answer]) -> tuple[Answer, float]:
    """What the work returns, and how many seconds of waiting it took."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        loop = runner.get_loop()
        began = loop.time()
        answer = runner.run(work)
        return answer, loop.time() - began
