"""A processor that stands still past the bound, and wakes with an old memory."""

import asyncio

from tests.support.tokens_in_use import ACCEPTED, REFUSED, in_use
from tests.system.trust.world import World, moment


async def test_a_processor_that_wakes_knows_that_it_slept(world: World) -> None:
    bad, good = await world.token(), await world.token()
    sleeper = world.stack.of_kind("processor")[0]
    async with in_use([sleeper.url], bad, good) as (revoked, other):
        await revoked.until(ACCEPTED, [sleeper.url], within_seconds=20)
        sleeper.pause()
        assert (await world.revoke(bad)).is_success
        at = moment()
        await asyncio.sleep(world.bound + 1)
        sleeper.resume()
        await revoked.until(REFUSED, [sleeper.url], within_seconds=20)
        await other.until(ACCEPTED, [sleeper.url], within_seconds=20)
        world.holds(revoked, other, at)


async def test_a_processor_that_wakes_while_redis_is_gone_reads_the_truth(world: World) -> None:
    bad, good = await world.token(), await world.token()
    sleeper = world.stack.of_kind("processor")[0]
    async with in_use([sleeper.url], bad, good) as (revoked, other):
        await revoked.until(ACCEPTED, [sleeper.url], within_seconds=20)
        sleeper.pause()
        assert (await world.revoke(bad)).is_success
        at = moment()
        await asyncio.sleep(world.bound + 1)
        world.redis.stop()
        sleeper.resume()
        await revoked.until(REFUSED, [sleeper.url], within_seconds=20)
        await other.until(ACCEPTED, [sleeper.url], within_seconds=20)
        world.holds(revoked, other, at)
