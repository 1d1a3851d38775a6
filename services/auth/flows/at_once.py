"""Doing several things at once and leaving none of them behind."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar, overload

One = TypeVar("One")
Two = TypeVar("Two")
Three = TypeVar("Three")


@overload
async def at_once(one: Awaitable[One], two: Awaitable[Two], /) -> tuple[One, Two]: ...


@overload
async def at_once(one: Awaitable[One], two: Awaitable[Two], three: Awaitable[Three], /) -> tuple[One, Two, Three]: ...


@overload
async def at_once(*steps: Awaitable[One]) -> tuple[One, ...]: ...


async def at_once(*steps: Awaitable[Any]) -> tuple[Any, ...]:
    """The results of all, in their order; the first error, once all have ended.

    `asyncio.gather` raises at once and leaves the others running: a write would go on after the request was answered,
    and after the process has closed its connections.
    """
    results = await asyncio.gather(*steps, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return tuple(results)
