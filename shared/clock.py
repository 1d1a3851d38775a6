"""The only reader of the clock. Everything else takes the time as an argument."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], float]
"""Gives the time in seconds. Services hold one, so that a test may hand them another."""


def now() -> float:
    """The wall clock: seconds since the Unix epoch."""
    return time.time()  # noqa: TID251 - this module is the one place


def monotonic() -> float:
    """Seconds from an arbitrary start; never goes back, and goes on while the process is stopped."""
    return time.monotonic()  # noqa: TID251 - this module is the one place


def rfc3339(seconds: float) -> str:
    """A Unix time as RFC 3339 in UTC with milliseconds, such as `2026-11-24T22:22:24.123Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
