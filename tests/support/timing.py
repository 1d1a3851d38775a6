"""Whether two things take the same time: statistics, for a machine on which nothing takes the same time twice."""

import math
import random
from collections.abc import Awaitable, Callable, Sequence

from shared import clock

PAIRS = 60
TELLING = 5.0
"""Standard deviations. Two things that take the same time are told apart by chance once in two million runs; two that
never overlap give 6.7 with `PAIRS` pairs."""

Request = Callable[[], Awaitable[object]]


async def timed_in_pairs(one: Request, other: Request, pairs: int = PAIRS) -> list[float]:
    """Of each pair, how many seconds `one` took longer than `other`.

    Which goes first is drawn for each pair, so what drifts, and what the first of two pays, falls on both alike.
    """
    chance = random.Random(1)  # noqa: S311 - no secret
    for warm_up in (one, other):
        await warm_up()
    differences = []
    for _ in range(pairs):
        in_order = [(one, 1), (other, -1)] if chance.random() < 0.5 else [(other, -1), (one, 1)]
        differences.append(sum([sign * await _seconds(request) for request, sign in in_order]))
    return differences


def deviation(differences: Sequence[float]) -> float:
    """Wilcoxon's signed-rank statistic, in standard deviations from what chance gives; ranks bear any outlier."""
    ranked = sorted(differences, key=abs)
    rank_sum = sum(math.copysign(rank, difference) for rank, difference in enumerate(ranked, 1))
    count = len(differences)
    return abs(rank_sum) / math.sqrt(count * (count + 1) * (2 * count + 1) / 6)


async def _seconds(request: Request) -> float:
    started = clock.monotonic()
    await request()
    return clock.monotonic() - started
