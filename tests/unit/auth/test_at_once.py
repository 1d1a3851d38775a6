import asyncio

import pytest

from services.auth.flows.at_once import at_once


async def _after(turns: int, done: list[int], error: Exception | None = None) -> int:
    for _ in range(turns):
        await asyncio.sleep(0)
    done.append(turns)
    if error is not None:
        raise error
    return turns


async def test_results_come_in_the_order_of_the_steps() -> None:
    done: list[int] = []
    assert await at_once(_after(5, done), _after(1, done), _after(3, done)) == (5, 1, 3)
    assert done == [1, 3, 5]


async def test_an_error_is_raised_once_all_have_ended() -> None:
    done: list[int] = []
    with pytest.raises(KeyError):
        await at_once(_after(5, done), _after(1, done, KeyError("x")), _after(3, done))
    assert done == [1, 3, 5]


async def test_a_request_that_is_given_up_leaves_nothing_behind() -> None:
    done: list[int] = []
    task = asyncio.create_task(at_once(_after(50, done), _after(60, done)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == []
