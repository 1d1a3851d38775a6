"""auth dies, at the worst moment too: when a revocation is durable and nobody was told."""

import asyncio

from shared.clients.aws import open_dynamodb
from shared.settings import SharedSettings, load
from shared.testing.instances import Instance
from tests.support.tokens_in_use import ACCEPTED, REFUSED
from tests.system.trust.world import World, moment


async def dies_before_it_announces(world: World, victim: Instance, token: str) -> float:
    """Its Redis stands still, so it can't announce; once the revocation is durable it is killed. The answer is when."""
    settings = load(
        SharedSettings,
        aws_endpoint_url=world.stack.aws.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    async with open_dynamodb(settings) as dynamodb:

        async def revocations() -> int:
            return int((await dynamodb.scan(TableName="revocations", Select="COUNT", ConsistentRead=True))["Count"])

        before = await revocations()
        world.auth_redis.stop()
        asking = asyncio.create_task(world.revoke(token, auth=victim.url))
        while await revocations() == before:
            await asyncio.sleep(0)
        at = moment()
        await victim.kill()
        await asyncio.wait([asking])
        asking.exception()  # nobody answered, or 503 came first: what counts is that it was not announced
        world.auth_redis.cut()
        world.auth_redis.go_on()
        return at


async def test_a_revocation_whose_auth_died_is_announced_by_another(world: World) -> None:
    bad, good = await world.token(), await world.token("alice")
    first, second = world.auths
    announced = await world.metric(second.url, "mayfly_revocations_announced_again_total")
    async with world.watching(bad, good) as (revoked, other):
        at = await dies_before_it_announces(world, first, bad)
        await world.everywhere(REFUSED, revoked)
        world.holds(revoked, other, at)
        assert await world.metric(second.url, "mayfly_revocations_announced_again_total") == announced + 1


async def test_a_revocation_whose_auth_died_is_obeyed_when_there_is_no_other(world: World) -> None:
    bad, good = await world.token(), await world.token("alice")
    first, second = world.auths
    await second.kill()
    async with world.watching(bad, good) as (revoked, other):
        at = await dies_before_it_announces(world, first, bad)
        await world.everywhere(REFUSED, revoked)
        await world.everywhere(ACCEPTED, other)
        await first.start()
        await asyncio.sleep(world.bound)
        await world.everywhere(ACCEPTED, other)
        world.holds(revoked, other, at)


async def test_without_any_auth_good_tokens_are_taken_and_revoked_ones_are_not(world: World) -> None:
    bad, good = await world.token(), await world.token("alice")
    assert (await world.revoke(bad)).is_success
    at = moment()
    for auth in world.auths:
        await auth.kill()
    async with world.watching(good, good) as (other, _):
        await asyncio.sleep(2 * world.bound)
        await world.everywhere(ACCEPTED, other)
    for auth in world.auths:
        await auth.start()
    async with world.watching(good, bad, good) as (other, revoked, _):
        await world.everywhere(REFUSED, revoked)
        world.holds(revoked, other, at)


async def test_an_auth_that_freezes_in_the_middle_vouches_for_nothing_that_it_missed(world: World) -> None:
    """While it stands still the other revokes and dies; its word, when it wakes, must not cover that."""
    bad, good = await world.token(), await world.token("alice")
    first, second = world.auths
    async with world.watching(bad, good) as (revoked, other):
        second.pause()
        at = await dies_before_it_announces(world, first, bad)
        await asyncio.sleep(world.bound + 1)
        second.resume()
        await world.everywhere(REFUSED, revoked)
        await asyncio.sleep(world.bound)
        await world.everywhere(ACCEPTED, other)
        world.holds(revoked, other, at)
