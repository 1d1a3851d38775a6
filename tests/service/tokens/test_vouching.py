"""Auth's word that nothing is missing: what it is built on, and what a verifier makes of it."""

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from shared import clock
from shared.errors import Unavailable
from shared.testing.valkey import Valkey
from shared.tokens.announcements import Announcements
from shared.tokens.revocation import Revocation, Target
from shared.tokens.revocation_feed import RevocationFeed
from shared.tokens.revocation_keys import SNAPSHOT_KEY, STREAM_KEY, to_member
from shared.tokens.vouching import FeedState, Vouching
from tests.support.waiting import eventually

NOW = int(clock.now())


def revocation(value: str, expires_at: int = NOW + 86_400) -> Revocation:
    return Revocation(Target("jti", value), NOW, expires_at)


@pytest.fixture
def vouching(redis: Redis) -> Vouching:
    return Vouching(redis)


async def looked(vouching: Vouching) -> FeedState:
    state = await vouching.look()
    assert state is not None
    return state


async def test_there_is_nothing_to_see_in_a_redis_that_was_not_filled(
    vouching: Vouching, announcements: Announcements, redis: Redis
) -> None:
    assert await vouching.look() is None
    await announcements.announce(revocation("tok_1"))
    assert await vouching.look() is None
    await announcements.rebuild([])
    assert (await looked(vouching)).last_id == (await redis.xinfo_stream(STREAM_KEY))["last-generated-id"]
    await redis.delete(STREAM_KEY)
    assert await vouching.look() is None


async def test_what_nobody_can_have_heard_is_missing(
    vouching: Vouching, announcements: Announcements, redis: Redis
) -> None:
    heard, lost, longer = revocation("heard"), revocation("lost"), revocation("longer", NOW + 86_401)
    await announcements.announce(heard)
    await redis.zadd(SNAPSHOT_KEY, {to_member(longer): NOW + 86_400})
    assert await vouching.missing([heard, lost, longer]) == [lost, longer]
    assert await vouching.missing([]) == []
    many = [revocation(f"tok_{number}") for number in range(2500)]
    assert await vouching.missing([*many, heard]) == many


async def test_a_word_says_how_old_the_look_is_by_the_servers_clock(
    vouching: Vouching, announcements: Announcements, redis: Redis
) -> None:
    await announcements.rebuild([])
    state = await looked(vouching)
    await asyncio.sleep(0.3)
    assert await vouching.vouch(state, 1234.5)
    entries: Any = await redis.xrange(STREAM_KEY)
    _, fields = entries[-1]
    assert 0.3 <= float(fields["vouched"]) < 3
    assert float(fields["clock"]) == 1234.5


async def test_nobody_vouches_for_a_redis_that_was_filled_anew_since_the_look(
    vouching: Vouching, announcements: Announcements, redis: Redis
) -> None:
    await announcements.rebuild([])
    state = await looked(vouching)
    await announcements.rebuild([])
    assert not await vouching.vouch(state, NOW)
    await redis.flushall()
    assert not await vouching.vouch(state, NOW)


async def test_nobody_vouches_for_a_stream_that_went_back_since_the_look(
    vouching: Vouching, announcements: Announcements, redis: Redis
) -> None:
    await announcements.rebuild([])
    before = await looked(vouching)
    await announcements.announce(revocation("tok_1"))
    after = await looked(vouching)
    await redis.delete(STREAM_KEY)
    await redis.xadd(STREAM_KEY, {"a": "b"}, id=before.last_id)
    assert (await looked(vouching)).is_behind(after)
    assert not await vouching.vouch(after, NOW)
    assert await vouching.vouch(before, NOW)


async def test_nobody_vouches_for_another_server_than_was_looked_at(
    own_valkey: Valkey, own_redis: Redis, tmp_path: Path
) -> None:
    await Announcements(own_redis).rebuild([])
    vouching = Vouching(own_redis)
    state = await looked(vouching)
    await own_valkey.restart()
    assert not await vouching.vouch(state, NOW)
    now = await looked(vouching)
    assert (now.generation, now.has_lost_nothing_since(state)) == (state.generation, False)
    assert await vouching.vouch(now, NOW)


async def test_a_redis_that_is_down_is_unavailable(own_valkey: Valkey, own_redis: Redis) -> None:
    await Announcements(own_redis).rebuild([])
    vouching = Vouching(own_redis)
    state = await looked(vouching)
    await own_valkey.kill()
    for attempt in (vouching.look(), vouching.missing([revocation("tok_1")]), vouching.vouch(state, NOW)):
        with pytest.raises(Unavailable):
            await attempt


@pytest.fixture
async def follower(redis_url: str, announcements: Announcements) -> RevocationFeed:
    """Follows a Redis that is whole, and for which nobody vouches."""
    await announcements.rebuild([])
    return RevocationFeed(redis_url)


async def test_a_feed_is_as_fresh_as_the_last_word(
    follower: RevocationFeed, vouching: Vouching, announcements: Announcements
) -> None:
    follower.start()
    await announcements.announce(revocation("tok_1"))
    await eventually(lambda: has_heard(follower))
    assert follower.staleness(clock.monotonic()) == math.inf
    looked_at = clock.monotonic()
    assert await vouching.vouch(await looked(vouching), clock.now())
    await eventually(lambda: is_fresh(follower))
    await asyncio.sleep(1)
    assert follower.staleness(clock.monotonic()) >= clock.monotonic() - looked_at
    await follower.stop()


async def has_heard(feed: RevocationFeed) -> bool:
    return len(feed.revoked) == 1


async def is_fresh(feed: RevocationFeed) -> bool:
    return feed.staleness(clock.monotonic()) < 1


async def test_a_word_from_before_the_feed_began_says_nothing(follower: RevocationFeed, vouching: Vouching) -> None:
    """It may be as old as the stream is."""
    assert await vouching.vouch(await looked(vouching), clock.now())
    follower.start()
    await eventually(lambda: has_read_on(follower))
    await asyncio.sleep(0.5)
    assert follower.staleness(clock.monotonic()) == math.inf
    await follower.stop()


async def has_read_on(feed: RevocationFeed) -> bool:
    return feed.position.milliseconds > 0


async def test_a_word_in_a_redis_that_is_not_the_one_that_was_loaded_says_nothing(
    follower: RevocationFeed, vouching: Vouching, announcements: Announcements, redis: Redis
) -> None:
    follower.start()
    await eventually(lambda: has_read_on(follower))
    state = await looked(vouching)
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.set("mayfly:revocations:generation", "another")
        pipeline.xadd(STREAM_KEY, {"vouched": "0", "clock": "0"})
        await pipeline.execute()
    assert state.generation != (await looked(vouching)).generation
    await asyncio.sleep(0.5)
    assert follower.staleness(clock.monotonic()) == math.inf
    await follower.stop()


async def test_the_clock_that_is_ahead_of_all_is_known_for_a_while(
    redis_url: str, announcements: Announcements, vouching: Vouching
) -> None:
    moment = [100.0]
    await announcements.rebuild([])
    feed = RevocationFeed(redis_url, monotonic=lambda: moment[0])
    feed.start()
    await eventually(lambda: has_read_on(feed))
    assert feed.clock_lead() == 0
    for seconds_ahead in (2, -3, 0):
        assert await vouching.vouch(await looked(vouching), clock.now() + seconds_ahead)

    async def has_read_all() -> bool:
        return str(feed.position) == (await looked(vouching)).last_id

    await eventually(has_read_all)
    assert 1.5 < feed.clock_lead() <= 2
    moment[0] += 11
    assert feed.clock_lead() == 0
    await feed.stop()
