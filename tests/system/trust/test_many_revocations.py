"""100,000 revocations in force, and 5,000 more in a second, in a world of their own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.support.stored_revocations import announce, fill, some_revocations
from tests.support.tokens_in_use import ACCEPTED, REFUSED, in_use
from tests.support.waiting import eventually
from tests.system.trust.world import World, moment, open_world

IN_FORCE = 100_000
BURST = 5_000
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
async def full_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Every process has loaded them."""
    folder = tmp_path_factory.mktemp("many")
    async with AsyncExitStack() as closing:
        world = await open_world(closing, folder)
        await fill(some_revocations(IN_FORCE), world.stack.redis.url)

        async def is_known_everywhere() -> bool:
            known = [await world.metric(url, "mayfly_revocations_known") for url in world.processors]
            return min(known) >= IN_FORCE

        await eventually(is_known_everywhere, timeout_seconds=PATIENCE_SECONDS)
        await world.mend()
        yield world


async def test_the_bound_holds_with_a_hundred_thousand_in_force(full_world: World) -> None:
    bad, good = await full_world.token(), await full_world.token("alice")
    async with full_world.watching(bad, good) as (revoked, other):
        assert (await full_world.revoke(bad)).is_success
        at = moment()
        await full_world.everywhere(REFUSED, revoked)
        full_world.holds(revoked, other, at)


async def test_the_bound_holds_in_a_burst_of_five_thousand(full_world: World) -> None:
    """They are announced as fast as Redis takes them; the one that counts is the last, behind all others."""
    bad, good = await full_world.token(), await full_world.token("alice")
    async with full_world.watching(bad, good) as (revoked, other):
        await announce(some_revocations(BURST - 1), full_world.stack.redis.url)
        assert (await full_world.revoke(bad)).is_success
        at = moment()
        await full_world.everywhere(REFUSED, revoked)
        full_world.holds(revoked, other, at)
    assert min([await full_world.metric(url, "mayfly_revocations_known") for url in full_world.processors]) > IN_FORCE


async def test_a_processor_that_starts_anew_knows_them_all(full_world: World) -> None:
    bad, good = await full_world.token(), await full_world.token("alice")
    assert (await full_world.revoke(bad)).is_success
    first = full_world.stack.of_kind("processor")[0]
    await first.restart(politely=False)
    async with in_use([first.url], bad, good) as (revoked, other):
        await other.until(ACCEPTED, [first.url], within_seconds=20)
        await revoked.until(REFUSED, [first.url], within_seconds=20)
        assert ACCEPTED not in revoked.statuses()
        assert REFUSED not in other.statuses()
