"""Whatever happens to Redis: killed, hung, cut off, flushed, replaced, failed over to one that lost the last writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from shared.testing.valkey import Valkey
from tests.support.link import Link
from tests.support.tokens_in_use import ACCEPTED, REFUSED
from tests.support.waiting import eventually
from tests.system.trust.world import World, moment


async def test_the_bound_holds_while_redis_hangs(world: World) -> None:
    bad, good = await world.token(), await world.token()
    async with world.watching(bad, good) as (revoked, other):
        world.stack.redis.pause()
        response = await world.revoke(bad)
        at = moment()
        assert (response.status_code, "retry-after" in response.headers) == (503, True), response.text
        await world.everywhere(REFUSED, revoked)
        await world.everywhere(ACCEPTED, other)
        world.stack.redis.resume()
        await asyncio.sleep(world.bound)
        await world.everywhere(ACCEPTED, other)
        world.holds(revoked, other, at)


async def test_the_bound_holds_while_redis_is_gone_and_it_comes_back_empty(world: World) -> None:
    before, bad, good = await world.token(), await world.token(), await world.token()
    assert (await world.revoke(before)).is_success
    async with world.watching(bad, before, good) as (revoked, earlier, other):
        await world.stack.redis.kill()
        response = await world.revoke(bad)
        at = moment()
        assert response.status_code == 503, response.text
        await world.everywhere(REFUSED, revoked)
        await world.stack.redis.start()
        await world.stack.redis.flush()
        await asyncio.sleep(2 * world.bound)
        await world.everywhere(ACCEPTED, other)
        world.holds(revoked, other, at)
        assert ACCEPTED not in earlier.statuses()


async def test_a_flushed_redis_brings_no_token_back(world: World) -> None:
    bad, good = await world.token(), await world.token()
    assert (await world.revoke(bad)).is_success
    at = moment()
    async with world.watching(good, bad, good) as (_, revoked, other):
        await world.everywhere(REFUSED, revoked)
        await world.stack.redis.flush()
        await world.stack.of_kind("processor")[0].restart(politely=False)
        await asyncio.sleep(2 * world.bound)
        await world.everywhere(ACCEPTED, other)
        world.holds(revoked, other, at)
    async with world.watching(await world.token(), good) as (later, other):
        assert (await world.revoke(later.token)).is_success
        at = moment()
        await world.everywhere(REFUSED, later)
        world.holds(later, other, at)


async def test_the_bound_holds_when_a_redis_that_knows_nothing_takes_its_place(world: World, tmp_path: Path) -> None:
    before, bad, good = await world.token(), await world.token(), await world.token()
    assert (await world.revoke(before)).is_success
    async with Valkey(tmp_path / "empty") as empty, world.watching(bad, before, good) as (revoked, earlier, other):
        async with standing_in(world, empty):
            response = await world.revoke(bad)
            at = moment()
            await world.everywhere(REFUSED, revoked)
            await asyncio.sleep(2 * world.bound)
            await world.everywhere(ACCEPTED, other)
            assert response.status_code in {200, 503}
            assert await eventually_holds(empty, 2)
        world.holds(revoked, other, at)
        assert ACCEPTED not in earlier.statuses()


async def test_the_bound_holds_over_a_failover_that_loses_the_last_writes(world: World, tmp_path: Path) -> None:
    """The replica has the generation and all but the last: nothing in it says that something is missing."""
    before, bad, good = await world.token(), await world.token(), await world.token()
    assert (await world.revoke(before)).is_success
    async with replica(world, tmp_path) as (replicated, server), world.watching(bad, before, good) as watched:
        revoked, earlier, other = watched
        replicated.stop()
        assert (await world.revoke(bad)).is_success
        at = moment()
        await world.stack.redis.kill()
        async with Redis.from_url(server.url) as promoted:
            await promoted.replicaof("NO", "ONE")
        async with standing_in(world, server):
            await world.everywhere(REFUSED, revoked)
            assert await eventually_holds(server, 2)
            fresh = await world.token("alice")
            async with world.watching(fresh) as (later,):
                assert (await world.revoke(fresh)).is_success
                await world.everywhere(REFUSED, later)
            await world.everywhere(ACCEPTED, other)
        world.holds(revoked, other, at)
        assert ACCEPTED not in earlier.statuses()
        await world.stack.redis.start()


async def test_the_bound_holds_where_the_processors_follow_a_replica_that_is_cut_off(
    world: World, tmp_path: Path
) -> None:
    """A Redis that answers, is whole, and of which nobody tells it anything any more: its silence is no news."""
    bad, good = await world.token(), await world.token()
    async with replica(world, tmp_path) as (replicated, server), world.watching(bad, good) as (revoked, other):
        world.redis.lead_to(server.url)
        await world.everywhere(ACCEPTED, other)
        replicated.stop()
        assert (await world.revoke(bad)).is_success
        at = moment()
        await world.everywhere(REFUSED, revoked)
        world.holds(revoked, other, at)
        world.redis.lead_to(world.stack.redis.url)
        await world.everywhere(ACCEPTED, other)
        world.holds(revoked, other, at)


async def test_the_bound_holds_when_the_stream_is_cut_in_the_middle_of_an_entry(world: World) -> None:
    bad, good = await world.token(), await world.token()
    async with world.watching(bad, good) as (revoked, other):
        world.redis.cut_after(40)
        assert (await world.revoke(bad)).is_success
        at = moment()
        await world.everywhere(REFUSED, revoked)
        world.holds(revoked, other, at)


async def test_the_bound_holds_when_the_stream_stands_still_and_when_it_is_cut_again_and_again(world: World) -> None:
    bad, good = await world.token(), await world.token()
    async with world.watching(bad, good) as (revoked, other):
        world.redis.stop()
        assert (await world.revoke(bad)).is_success
        at = moment()
        await world.everywhere(REFUSED, revoked)
        world.redis.go_on()
        for _ in range(10):
            world.redis.cut()
            await asyncio.sleep(0.2)
        await world.everywhere(ACCEPTED, other)
        world.holds(revoked, other, at)


async def eventually_holds(server: Valkey, revocations: int) -> bool:
    """Whether auth fills it with what was revoked."""
    async with Redis.from_url(server.url) as client:

        async def is_filled() -> bool:
            return await client.zcard("mayfly:revocations") >= revocations

        await eventually(is_filled, timeout_seconds=20)
    return True


@asynccontextmanager
async def standing_in(world: World, server: Valkey) -> AsyncIterator[None]:
    """Within: everybody finds this server where Redis was."""
    second = world.auths[1]
    await second.kill()  # it has no link of its own
    for link in (world.auth_redis, world.redis):
        link.lead_to(server.url)
    try:
        yield
    finally:
        for link in (world.auth_redis, world.redis):
            link.lead_to(world.stack.redis.url)


@asynccontextmanager
async def replica(world: World, folder: Path) -> AsyncIterator[tuple[Link, Valkey]]:
    """A server that follows Redis over a link, and has caught up."""
    async with Link(world.stack.redis.url) as link, Valkey(folder / "replica") as server:
        async with Redis.from_url(server.url, decode_responses=True) as client:
            await client.replicaof("127.0.0.1", link.url.rsplit(":", 1)[1])

            async def has_caught_up() -> bool:
                info = await client.info("replication")
                return info["master_link_status"] == "up" and await client.exists("mayfly:revocations:generation") == 1

            await eventually(has_caught_up, timeout_seconds=20)
        yield link, server
