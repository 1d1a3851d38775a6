"""Work in a thread that has to stop."""

import asyncio
import threading

import pytest

from services.processor.engine.session import Stop
from services.processor.stores.records import in_thread


async def test_work_gives_what_it_made() -> None:
    assert await in_thread(lambda _stop: 5) == 5


async def test_work_that_is_cancelled_has_left_its_thread_before_the_caller_goes_on() -> None:
    began, left = threading.Event(), threading.Event()

    def work(stop: Stop) -> None:
        began.set()
        try:
            while True:
                stop.check()
                threading.Event().wait(0.01)
        finally:
            left.set()

    running = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(began.wait)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert left.is_set()
