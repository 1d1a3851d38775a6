"""DynamoDB hangs: what is in Redis decides. Both are gone: nobody knows, and says so."""

import asyncio

from tests.support.tokens_in_use import ACCEPTED, REFUSED, UNKNOWN, TokenInUse
from tests.system.trust.world import World, moment

SOON_SECONDS = 0.1


def fastest(watched: TokenInUse, status: int) -> float:
    """Seconds of the fastest such answer: what is left when the machine has nothing else to do."""
    return min(use.seconds for use in watched.uses if use.status == status)


async def test_while_dynamodb_hangs_what_was_announced_decides(world: World) -> None:
    before, bad, good = await world.token(), await world.token(), await world.token()
    assert (await world.revoke(before)).is_success
    at = moment()
    async with world.watching(bad, before, good) as (later, revoked, other):
        await world.everywhere(REFUSED, revoked)
        world.stack.aws.pause()
        response = await world.revoke(bad)
        assert (response.status_code, "retry-after" in response.headers) == (503, True), response.text
        await asyncio.sleep(2 * world.bound)
        await world.everywhere(ACCEPTED, other)
        world.holds(revoked, other, at)
        world.stack.aws.resume()
        assert (await world.revoke(bad)).is_success
        at = moment()
        await world.everywhere(REFUSED, later)
        world.holds(later, other, at)


async def test_a_revocation_that_dynamodb_took_after_all_is_found(world: World) -> None:
    """The answer was 503, because DynamoDB hung; the write was on its way, and is done when it wakes."""
    bad, good = await world.token(), await world.token()
    async with world.watching(bad, good) as (revoked, other):
        world.stack.aws.pause()
        response = await world.revoke(bad)
        assert response.status_code == 503, response.text
        world.stack.aws.resume()
        at = moment()
        await world.everywhere(REFUSED, revoked)
        world.holds(revoked, other, at)


async def test_the_bound_holds_while_processors_are_cut_off_from_dynamodb(world: World) -> None:
    bad, good = await world.token(), await world.token()
    async with world.watching(bad, good) as (revoked, other):
        world.aws.stop()
        assert (await world.revoke(bad)).is_success
        at = moment()
        await world.everywhere(REFUSED, revoked)
        await world.everywhere(ACCEPTED, other)
        world.holds(revoked, other, at)


async def test_without_both_nobody_knows_and_says_so_at_once(world: World) -> None:
    before, bad, good = await world.token(), await world.token(), await world.token()
    assert (await world.revoke(before)).is_success
    async with world.watching(bad, before, good) as (later, revoked, other):
        await world.everywhere(REFUSED, revoked)
        world.stack.aws.pause()
        await world.stack.redis.kill()
        gone = moment()
        await world.everywhere(UNKNOWN, other)
        await asyncio.sleep(world.bound)
        assert other.statuses(since=gone + world.bound) == {UNKNOWN}
        assert revoked.statuses(since=gone) == {REFUSED}
        assert fastest(other, UNKNOWN) <= SOON_SECONDS
        world.stack.aws.resume()
        await world.everywhere(ACCEPTED, other)
        await world.stack.redis.start()
        assert (await world.revoke(bad)).status_code in {200, 503}
        at = moment()
        await world.everywhere(REFUSED, later)
        world.holds(later, other, at)


async def test_a_redis_that_was_restarted_is_not_believed_while_dynamodb_hangs(world: World) -> None:
    """It may have lost the last writes, and there is nothing to compare it with."""
    good = await world.token()
    async with world.watching(good, good) as (other, _):
        world.stack.aws.pause()
        await world.stack.redis.restart(politely=False)
        gone = moment()
        await world.everywhere(UNKNOWN, other)
        await asyncio.sleep(world.bound)
        assert other.statuses(since=gone + world.bound) == {UNKNOWN}
        world.stack.aws.resume()
        await world.everywhere(ACCEPTED, other)
        assert other.statuses() <= {ACCEPTED, UNKNOWN}
