"""A feed follows a real Redis, that is stopped, hung, flushed, restarted and set back."""

import asyncio
import math
from pathlib import Path

from prometheus_client import REGISTRY
from redis.asyncio import Redis

from shared import clock
from shared.testing.valkey import Valkey
from shared.tokens.announcements import Announcements
from shared.tokens.claims import Claims
from shared.tokens.revocation import Revocation, Target
from shared.tokens.revocation_feed import RevocationFeed, StreamId, _connect
from shared.tokens.revocation_keys import GENERATION_KEY, SNAPSHOT_KEY, STREAM_KEY, to_member
from tests.service.tokens.backends import hung
from tests.support.vouching import vouched_for
from tests.support.waiting import eventually

NOW = int(clock.now())
FRESH_SECONDS = 1.0
TWO_AND_A_HALF_READS = """
for number = 1, 2500 do
    redis.call('XADD', KEYS[1], '*', 'revocation', 'jti|1|tok_' .. number, 'expires_at', ARGV[1], 'announced_at', '1')
end
"""


def revocation(value: str, expires_at: int = NOW + 86_400) -> Revocation:
    return Revocation(Target("jti", value), NOW, expires_at)


def claims(jti: str) -> Claims:
    return Claims("iss", "usr", ("mayfly",), "cli", jti, NOW, None, NOW + 86_400, frozenset(), None, (), (), None)


def staleness(feed: RevocationFeed) -> float:
    return feed.staleness(clock.monotonic())


async def fresh(feed: RevocationFeed) -> None:
    async def is_fresh() -> bool:
        return staleness(feed) < FRESH_SECONDS

    await eventually(is_fresh)


async def stale(feed: RevocationFeed) -> None:
    async def is_stale() -> bool:
        return staleness(feed) > 1.5

    await eventually(is_stale)


async def knows(feed: RevocationFeed, *values: str) -> None:
    async def knows_all() -> bool:
        return all(feed.revoked.is_revoked(claims(value)) for value in values)

    await eventually(knows_all)


async def test_the_snapshot_is_loaded(announcements: Announcements, redis_url: str) -> None:
    await announcements.rebuild(revocation(f"tok_{number}") for number in range(2500))
    await announcements.announce(revocation("tok_news"))
    feed = RevocationFeed(redis_url)
    assert staleness(feed) == math.inf
    feed.start()
    async with vouched_for(redis_url):
        await fresh(feed)
    assert len(feed.revoked) == 2501
    await feed.stop()


async def test_news_are_heard(announcements: Announcements, feed: RevocationFeed) -> None:
    await announcements.rebuild([])
    await fresh(feed)
    receipt = await announcements.announce(revocation("tok_1"))
    await knows(feed, "tok_1")
    await eventually(lambda: has_read(feed, receipt))


async def has_read(feed: RevocationFeed, receipt: str) -> bool:
    return feed.position >= StreamId.parse(receipt)


async def test_a_feed_without_news_stays_fresh(announcements: Announcements, feed: RevocationFeed) -> None:
    await announcements.rebuild([])
    await fresh(feed)
    await asyncio.sleep(1.5)
    assert staleness(feed) < FRESH_SECONDS


async def test_many_news_at_once_are_all_heard(announcements: Announcements, feed: RevocationFeed) -> None:
    await announcements.rebuild([])
    await fresh(feed)
    values = [f"tok_{number}" for number in range(500)]
    for start in range(0, 500, 20):
        await asyncio.gather(*(announcements.announce(revocation(value)) for value in values[start : start + 20]))
    await knows(feed, *values)


async def test_a_backlog_is_read_to_its_end_before_the_feed_is_fresh(
    announcements: Announcements, redis: Redis, feed: RevocationFeed
) -> None:
    await announcements.rebuild([])
    await fresh(feed)
    await redis.eval(TWO_AND_A_HALF_READS, 1, STREAM_KEY, NOW + 86_400)
    written = clock.monotonic()
    await eventually(lambda: heard_since(feed, written))
    assert len(feed.revoked) == 2500


async def heard_since(feed: RevocationFeed, monotonic: float) -> bool:
    return staleness(feed) < clock.monotonic() - monotonic


async def test_a_redis_without_generation_is_not_trusted(announcements: Announcements, feed: RevocationFeed) -> None:
    await announcements.announce(revocation("tok_1"))
    await asyncio.sleep(0.8)
    assert staleness(feed) == math.inf
    await announcements.rebuild([])
    await fresh(feed)
    assert feed.revoked.is_revoked(claims("tok_1"))


async def test_a_redis_that_forgets_is_not_trusted_and_takes_nothing_along(
    announcements: Announcements, feed: RevocationFeed, redis: Redis
) -> None:
    await announcements.rebuild([revocation("tok_1")])
    await fresh(feed)
    await redis.flushall()
    await stale(feed)
    assert feed.revoked.is_revoked(claims("tok_1"))
    await announcements.rebuild([revocation("tok_2")])
    await fresh(feed)
    assert feed.revoked.is_revoked(claims("tok_1"))
    assert feed.revoked.is_revoked(claims("tok_2"))


async def test_a_redis_that_forgot_and_was_filled_within_one_read_is_loaded_again(
    announcements: Announcements, feed: RevocationFeed, redis: Redis
) -> None:
    generation = await announcements.rebuild([])
    await fresh(feed)
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.flushall()
        pipeline.zadd(SNAPSHOT_KEY, {to_member(revocation("tok_1")): NOW + 86_400})
        pipeline.xadd(STREAM_KEY, {"generation": "other"})
        pipeline.set(GENERATION_KEY, f"not-{generation}")
        await pipeline.execute()
    await knows(feed, "tok_1")


async def test_a_stream_that_went_back_is_loaded_again(
    announcements: Announcements, redis: Redis, redis_url: str
) -> None:
    """Before anybody vouches for it: auth compares first, and announces what was lost."""
    generation = await announcements.rebuild([])
    feed = RevocationFeed(redis_url)
    feed.start()
    async with vouched_for(redis_url):
        await fresh(feed)
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.delete(STREAM_KEY)
        pipeline.xadd(STREAM_KEY, {"generation": generation}, id="5-1")
        pipeline.zadd(SNAPSHOT_KEY, {to_member(revocation("tok_1")): NOW + 86_400})
        await pipeline.execute()
    await knows(feed, "tok_1")
    await feed.stop()


async def test_a_stream_with_a_gap_is_loaded_again(
    announcements: Announcements, feed: RevocationFeed, redis: Redis
) -> None:
    await announcements.rebuild([])
    await fresh(feed)
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.zadd(SNAPSHOT_KEY, {to_member(revocation("tok_cut_off")): NOW + 86_400})
        pipeline.xadd(STREAM_KEY, {"generation": "a"})
        pipeline.xadd(STREAM_KEY, {"generation": "b"})
        pipeline.xtrim(STREAM_KEY, maxlen=1, approximate=False)
        await pipeline.execute()
    await knows(feed, "tok_cut_off")


async def test_a_stream_that_is_empty_but_whole_is_no_gap(
    announcements: Announcements, feed: RevocationFeed, redis: Redis
) -> None:
    await announcements.rebuild([])
    await fresh(feed)
    await redis.xtrim(STREAM_KEY, maxlen=0, approximate=False)
    await asyncio.sleep(1.5)
    assert staleness(feed) < FRESH_SECONDS


async def test_a_stream_that_was_deleted_is_not_trusted(
    announcements: Announcements, feed: RevocationFeed, redis: Redis
) -> None:
    await announcements.rebuild([])
    await fresh(feed)
    await redis.delete(STREAM_KEY)
    await stale(feed)


async def test_what_nobody_understands_is_passed_over(
    announcements: Announcements, feed: RevocationFeed, redis: Redis
) -> None:
    await announcements.rebuild([])
    await fresh(feed)
    await redis.zadd(SNAPSHOT_KEY, {"nonsense": NOW + 86_400})
    await redis.xadd(STREAM_KEY, {"revocation": "planet|1|earth", "expires_at": NOW + 86_400, "announced_at": 1})
    await announcements.announce(revocation("tok_1"))
    await knows(feed, "tok_1")
    await fresh(feed)


async def test_an_entry_that_breaks_the_reader_does_not_end_the_feed(
    announcements: Announcements, feed: RevocationFeed, redis: Redis
) -> None:
    await announcements.rebuild([])
    await fresh(feed)
    await redis.xadd(STREAM_KEY, {"revocation": "jti|1|tok", "no": "expiry"})
    await announcements.announce(revocation("tok_1"))
    await knows(feed, "tok_1")
    await fresh(feed)


async def test_what_has_long_expired_is_forgotten(announcements: Announcements, feed: RevocationFeed) -> None:
    now = int(clock.now())  # not the time at which the tests began
    await announcements.rebuild([revocation("old", now - 600), revocation("tok_1", now - 10), revocation("tok_2")])
    await fresh(feed)
    assert feed.revoked.is_revoked(claims("tok_1"))
    assert len(feed.revoked) == 2


async def test_a_redis_that_hangs_makes_the_feed_stale_until_it_wakes(own_valkey: Valkey, own_redis: Redis) -> None:
    announcements = Announcements(own_redis)
    await announcements.rebuild([])
    feed = RevocationFeed(own_valkey.url)
    feed.start()
    await fresh(feed)
    with hung(own_valkey):
        hung_at = clock.monotonic()
        await stale(feed)
        await asyncio.sleep(0.5)
        assert staleness(feed) >= clock.monotonic() - hung_at - 0.01
    await fresh(feed)
    await announcements.announce(revocation("tok_1"))
    await knows(feed, "tok_1")
    await feed.stop()


async def test_a_redis_that_is_killed_and_comes_back_is_followed_again(own_valkey: Valkey, own_redis: Redis) -> None:
    announcements = Announcements(own_redis)
    await announcements.rebuild([])
    feed = RevocationFeed(own_valkey.url)
    feed.start()
    await fresh(feed)
    await own_valkey.kill()
    await stale(feed)
    await own_valkey.start()
    await announcements.announce(revocation("tok_1"))
    await knows(feed, "tok_1")
    await fresh(feed)
    await feed.stop()


async def test_a_redis_that_comes_late_is_found(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey")
    feed = RevocationFeed(server.url)
    feed.start()
    await asyncio.sleep(0.3)
    assert staleness(feed) == math.inf
    async with server, vouched_for(server.url), Redis.from_url(server.url) as client:
        await Announcements(client).rebuild([revocation("tok_1")])
        await knows(feed, "tok_1")
        await fresh(feed)
        await feed.stop()


async def test_it_stops_at_once_even_while_redis_hangs(own_valkey: Valkey, own_redis: Redis) -> None:
    await Announcements(own_redis).rebuild([])
    feed = RevocationFeed(own_valkey.url)
    await feed.stop()
    feed.start()
    await fresh(feed)
    with hung(own_valkey):
        await asyncio.sleep(0.4)
        started = clock.monotonic()
        await feed.stop()
        assert clock.monotonic() - started < 0.5


async def test_metrics_tell_how_far_it_has_read(announcements: Announcements, feed: RevocationFeed) -> None:
    await announcements.rebuild([])
    await fresh(feed)
    counted = REGISTRY.get_sample_value("mayfly_revocation_propagation_seconds_count") or 0
    receipt = StreamId.parse(await announcements.announce(revocation("tok_1")))
    await knows(feed, "tok_1")
    await eventually(lambda: has_read(feed, str(receipt)))
    assert 0 < (REGISTRY.get_sample_value("mayfly_revocation_staleness_seconds") or 0) < FRESH_SECONDS
    assert (REGISTRY.get_sample_value("mayfly_revocation_propagation_seconds_count") or 0) > counted
    position = [
        REGISTRY.get_sample_value("mayfly_revocation_stream_position", {"part": part}) or 0
        for part in ("milliseconds", "sequence")
    ]
    assert position >= [receipt.milliseconds, receipt.sequence]  # auth's word may have followed
    assert str(receipt) == f"{receipt.milliseconds}-{receipt.sequence}"


async def test_a_connection_is_closed_also_when_its_closing_is_interrupted(redis_url: str) -> None:
    async def connect_and_close() -> None:
        async with _connect(redis_url) as client:
            await client.client_setname("interrupted")
            connected.set_result(client)

    connected: asyncio.Future[Redis] = asyncio.get_running_loop().create_future()
    closing = asyncio.create_task(connect_and_close())
    client = await connected
    closing.cancel()
    await asyncio.wait([closing])
    assert closing.cancelled()
    async with Redis.from_url(redis_url) as other:
        assert "interrupted" not in [one["name"] for one in await other.client_list()]
    assert not client.connection_pool._in_use_connections
