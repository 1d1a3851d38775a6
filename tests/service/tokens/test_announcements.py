"""What auth writes for the verifiers, in a real Redis."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis as blocking_redis
from redis.asyncio import Redis

from shared import clock
from shared.errors import Unavailable
from shared.testing.valkey import Valkey
from shared.tokens.announcements import STREAM_LENGTH, Announcements, RebuildInterrupted
from shared.tokens.revocation import Revocation, Target
from shared.tokens.revocation_keys import GENERATION_KEY, SNAPSHOT_KEY, STREAM_KEY, to_member
from tests.service.tokens.backends import hung

NOW = int(clock.now())


def revocation(value: str, expires_at: int = NOW + 86_400) -> Revocation:
    return Revocation(Target("jti", value), NOW, expires_at)


async def entries(redis: Redis) -> list[tuple[str, dict[str, str]]]:
    found: Any = await redis.xrange(STREAM_KEY)
    return list(found)


async def test_a_revocation_is_in_snapshot_and_stream(announcements: Announcements, redis: Redis) -> None:
    receipt = await announcements.announce(revocation("tok_1"))
    member = to_member(revocation("tok_1"))
    assert await redis.zrange(SNAPSHOT_KEY, 0, -1, withscores=True) == [(member, NOW + 86_400)]
    [(stream_id, fields)] = await entries(redis)
    assert stream_id == receipt
    assert (fields["revocation"], fields["expires_at"]) == (member, str(NOW + 86_400))
    assert float(fields["announced_at"]) == pytest.approx(clock.now(), abs=5)


async def test_to_announce_twice_does_no_harm(announcements: Announcements, redis: Redis) -> None:
    await announcements.announce(revocation("tok_1", NOW + 86_400))
    await announcements.announce(revocation("tok_1", NOW + 100))
    assert await redis.zrange(SNAPSHOT_KEY, 0, -1, withscores=True) == [(to_member(revocation("tok_1")), NOW + 86_400)]


async def test_what_has_expired_goes_with_the_next_announcement(announcements: Announcements, redis: Redis) -> None:
    now = int(clock.now())  # not the time at which the tests began
    await announcements.announce(revocation("tok_old", now - 3600))
    await announcements.announce(revocation("tok_recent", now - 10))
    await announcements.announce(revocation("tok_new"))
    left = [to_member(revocation("tok_recent")), to_member(revocation("tok_new"))]
    assert await redis.zrange(SNAPSHOT_KEY, 0, -1) == left


async def test_the_stream_does_not_grow_for_ever(announcements: Announcements, redis: Redis) -> None:
    async with redis.pipeline(transaction=False) as pipeline:
        for _ in range(STREAM_LENGTH + 500):
            pipeline.execute_command("XADD", STREAM_KEY, "*", "a", "b")
        pipeline.connection_pool.connection_kwargs["socket_timeout"] = 30
        await pipeline.execute()
    await announcements.announce(revocation("tok_1"))
    assert await redis.xlen(STREAM_KEY) < STREAM_LENGTH + 200


async def test_an_empty_redis_has_no_generation_until_it_is_rebuilt(announcements: Announcements, redis: Redis) -> None:
    await announcements.announce(revocation("tok_1"))
    assert await redis.get(GENERATION_KEY) is None
    generation = await announcements.rebuild([])
    assert await redis.get(GENERATION_KEY) == generation


async def test_a_rebuild_fills_the_snapshot_and_keeps_what_is_there(announcements: Announcements, redis: Redis) -> None:
    await announcements.announce(revocation("tok_meanwhile"))
    await announcements.announce(revocation("tok_0", NOW + 90_000))
    await announcements.rebuild(revocation(f"tok_{number}") for number in range(2500))
    snapshot: Any = await redis.zrange(SNAPSHOT_KEY, 0, -1, withscores=True)
    scores = dict(snapshot)
    assert len(scores) == 2501
    assert scores[to_member(revocation("tok_0"))] == NOW + 90_000
    assert to_member(revocation("tok_meanwhile")) in scores


async def test_a_rebuild_leaves_a_mark_in_the_stream_and_nothing_else(
    announcements: Announcements, redis: Redis
) -> None:
    generation = await announcements.rebuild([revocation("tok_1"), revocation("tok_1", NOW + 10)])
    [(_, fields)] = await entries(redis)
    assert fields == {"generation": generation}
    assert sorted(await redis.keys()) == [SNAPSHOT_KEY, GENERATION_KEY, STREAM_KEY]


async def test_each_rebuild_is_a_generation_of_its_own(announcements: Announcements) -> None:
    assert await announcements.rebuild([]) != await announcements.rebuild([])


async def test_a_rebuild_of_a_redis_that_loses_data_meanwhile_claims_nothing(
    announcements: Announcements, redis: Redis, redis_url: str
) -> None:
    def revocations() -> Iterator[Revocation]:
        yield from (revocation(f"tok_{number}") for number in range(1000))
        with blocking_redis.Redis.from_url(redis_url) as client:
            client.flushall()
        yield revocation("tok_last")

    with pytest.raises(RebuildInterrupted):
        await announcements.rebuild(revocations())
    assert await redis.get(GENERATION_KEY) is None


async def test_a_rebuild_that_dies_leaves_nothing_for_long(announcements: Announcements, redis: Redis) -> None:
    def revocations() -> Iterator[Revocation]:
        yield from (revocation(f"tok_{number}") for number in range(1000))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await announcements.rebuild(revocations())
    [left] = await redis.keys()
    assert 0 < await redis.ttl(left) <= 120


async def test_a_redis_that_is_down_is_unavailable(own_valkey: Valkey, own_redis: Redis) -> None:
    announcements = Announcements(own_redis)
    await announcements.announce(revocation("tok_1"))
    await own_valkey.kill()
    for attempt in (announcements.announce(revocation("tok_2")), announcements.rebuild([])):
        with pytest.raises(Unavailable):
            await attempt


async def test_a_redis_that_hangs_is_unavailable_soon(own_valkey: Valkey, own_redis: Redis) -> None:
    await Announcements(own_redis).announce(revocation("tok_1"))
    started = clock.monotonic()
    with hung(own_valkey), pytest.raises(Unavailable):
        await Announcements(own_redis).announce(revocation("tok_2"))
    assert clock.monotonic() - started < 3
