"""The feed is kept in line with the durable truth, whatever Redis loses and whoever dies before announcing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from services.auth.flows.keep_feed import KeepFeed, Seen
from services.auth.settings import AuthSettings
from services.auth.stores.announcer import Announcer
from services.auth.stores.revocation_log import ROWS_IN_PAGE, RevocationLog, log_entry
from services.auth.stores.revocations import Revocations
from shared import clock
from shared.clients.aws import open_dynamodb
from shared.clients.aws_types import DynamoDBClient
from shared.clients.redis import open_redis
from shared.errors import Unavailable
from shared.testing.valkey import Valkey
from shared.tokens.announcements import Announcements
from shared.tokens.revocation import Revocation, RevokedSet, Target
from shared.tokens.revocation_keys import SNAPSHOT_KEY, STREAM_KEY, to_member
from shared.tokens.vouching import Vouching
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.slow_link import SlowLink
from tests.support.stored_revocations import some_revocations

PATIENCE_SECONDS = 5.0  # a busy machine is no outage


class Keeper:
    """A keeper, and the stores that it works on."""

    def __init__(self, settings: AuthSettings, dynamodb: DynamoDBClient, redis: Redis) -> None:
        self.redis: Any = redis
        self.dynamodb = dynamodb
        self.revocations = Revocations(dynamodb, settings.table_prefix)
        self.announcer = Announcer(Announcements(redis), RevokedSet())
        log = RevocationLog(dynamodb, settings.table_prefix, patience_seconds=PATIENCE_SECONDS)
        self.seen = Seen()
        self.keep = KeepFeed(self.revocations, log, self.announcer, Vouching(redis), clock.now)

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.seen = await self.keep(self.seen)

    async def store(self, value: str, *, age_seconds: float = 0) -> Revocation:
        """Durable, as it is when its auth dies before it is announced."""
        now = clock.now() - age_seconds
        wanted = Revocation(Target("jti", value), int(now), int(clock.now()) + 900)
        return await self.revocations.save(wanted, now)

    async def announced(self) -> set[str]:
        return set(await self.redis.zrange(SNAPSHOT_KEY, 0, -1))

    async def words(self) -> int:
        return sum("vouched" in fields for _, fields in await self.redis.xrange(STREAM_KEY))


@pytest.fixture
async def link(aws_endpoint_url: str) -> AsyncIterator[SlowLink]:
    """What stands between the keeper and DynamoDB."""
    async with SlowLink(aws_endpoint_url) as link:
        yield link


@pytest.fixture
async def keeper(make_settings: MakeSettings, redis_url: str, link: SlowLink) -> AsyncIterator[Keeper]:
    settings = make_settings(aws_endpoint_url=link.url)
    async with open_dynamodb(settings) as dynamodb, open_redis(redis_url) as redis:
        yield Keeper(settings, dynamodb, redis)


async def test_an_empty_redis_is_filled_then_vouched_for(keeper: Keeper) -> None:
    stored = await keeper.store("tok_1")
    await keeper.look()
    assert await keeper.announced() == {to_member(stored)}
    assert await keeper.words() == 0
    await keeper.look(2)
    assert await keeper.words() == 2


async def test_what_was_not_announced_is_announced(keeper: Keeper) -> None:
    await keeper.look(2)
    stored = await keeper.store("tok_1")
    await keeper.look()
    [*_, (_, news), (_, word)] = await keeper.redis.xrange(STREAM_KEY)
    assert (news["revocation"], "vouched" in word) == (to_member(stored), True)
    await keeper.look()
    assert len([1 for _, fields in await keeper.redis.xrange(STREAM_KEY) if "revocation" in fields]) == 1


async def test_what_redis_lost_is_announced_again(keeper: Keeper) -> None:
    await keeper.look(2)
    stored = await keeper.store("tok_1")
    await keeper.look()
    await keeper.redis.zrem(SNAPSHOT_KEY, to_member(stored))
    await keeper.look()
    assert await keeper.announced() == {to_member(stored)}


async def test_an_instance_that_starts_compares_everything(keeper: Keeper) -> None:
    await keeper.look()
    old = await keeper.store("tok_old", age_seconds=600)
    await keeper.look()
    assert await keeper.announced() == set()
    keeper.seen = Seen()
    await keeper.look()
    assert await keeper.announced() == {to_member(old)}


async def test_a_write_that_took_very_long_is_found_a_little_later(keeper: Keeper) -> None:
    await keeper.look(2)
    late = await keeper.store("tok_late", age_seconds=40)
    await keeper.look()
    assert await keeper.announced() == set()
    keeper.seen = replace(keeper.seen, far_at=clock.now() - 11)
    await keeper.look()
    assert await keeper.announced() == {to_member(late)}


async def test_after_a_long_pause_nothing_in_between_is_missed(keeper: Keeper) -> None:
    await keeper.look(2)
    for back, value in ((1200, "tok_1"), (3000, "tok_2")):
        stored = await keeper.store(value, age_seconds=back - 100)
        keeper.seen = replace(keeper.seen, compared_at=clock.now() - back, far_at=clock.now())
        await keeper.look()
        assert to_member(stored) in await keeper.announced()


@pytest.mark.parametrize("was_away", [False, True])
async def test_a_stream_that_went_back_makes_a_new_generation(keeper: Keeper, was_away: bool) -> None:
    """As an old backup does, whether or not Redis was away in between."""
    await keeper.look(2)
    if was_away:
        keeper.seen = keeper.seen.begin_anew()
    stored = await keeper.store("tok_1", age_seconds=600)
    generation = await keeper.redis.get("mayfly:revocations:generation")
    await keeper.redis.delete(STREAM_KEY)
    await keeper.redis.xadd(STREAM_KEY, {"generation": "x"}, id="5-1")
    await keeper.look()
    assert await keeper.redis.get("mayfly:revocations:generation") != generation
    assert await keeper.announced() == {to_member(stored)}


async def test_a_redis_that_another_has_filled_is_compared_as_a_whole(keeper: Keeper) -> None:
    await keeper.look(2)
    old = await keeper.store("tok_old", age_seconds=600)
    await Announcements(keeper.redis).rebuild([])
    await keeper.look()
    assert await keeper.announced() == {to_member(old)}


async def test_while_dynamodb_hangs_a_redis_that_lost_nothing_is_vouched_for(keeper: Keeper, link: SlowLink) -> None:
    await keeper.look(2)
    words = await keeper.words()
    link.delay_seconds = 30
    await keeper.look()
    assert await keeper.words() == words + 1


async def test_while_dynamodb_hangs_a_redis_that_may_have_lost_something_is_not_vouched_for(
    keeper: Keeper, link: SlowLink
) -> None:
    await keeper.look(2)
    keeper.seen = keeper.seen.begin_anew()
    words = await keeper.words()
    link.delay_seconds = 30
    with pytest.raises(Unavailable):
        await keeper.look()
    assert await keeper.words() == words
    link.delay_seconds = 0
    await keeper.look()
    assert await keeper.words() == words + 1


async def test_a_redis_that_was_restarted_is_compared_before_it_is_vouched_for(
    make_settings: MakeSettings, link: SlowLink, tmp_path: Path
) -> None:
    settings = make_settings(aws_endpoint_url=link.url)
    async with (
        Valkey(tmp_path) as valkey,
        open_dynamodb(settings) as dynamodb,
        open_redis(valkey.url, timeout_seconds=5) as redis,
    ):
        keeper = Keeper(settings, dynamodb, redis)
        await keeper.look(2)
        await valkey.restart()
        link.delay_seconds = 30
        with pytest.raises(Unavailable):
            await keeper.look()
        link.delay_seconds = 0
        await keeper.look()


async def _write_pages(keeper: Keeper, table_prefix: str, pages: int, now: float) -> int:
    """So many pages of one shard of the log, as after a burst whose auths died; how many revocations that is."""
    puts: list[Any] = [
        log_entry(table_prefix, each, now)["Put"] for each in some_revocations(ROWS_IN_PAGE * pages * 10)
    ]
    of_one_shard = [put for put in puts if put["Item"]["bucket"]["S"].endswith("#0")][: ROWS_IN_PAGE * pages]
    for first in range(0, len(of_one_shard), 25):
        items: Any = [{"PutRequest": {"Item": put["Item"]}} for put in of_one_shard[first : first + 25]]
        await keeper.dynamodb.batch_write_item(RequestItems={of_one_shard[0]["TableName"]: items})
    return len(of_one_shard)


async def test_a_comparison_of_very_many_comes_to_its_end(
    keeper: Keeper, make_settings: MakeSettings, link: SlowLink
) -> None:
    """All of them together take longer than DynamoDB has for one answer; else nothing would ever be compared again."""
    prefix, patience_seconds, pages, page_seconds = make_settings().table_prefix, 3.0, 5, 0.8
    await keeper.look(2)
    log = RevocationLog(keeper.dynamodb, prefix, patience_seconds=patience_seconds)
    keeper.keep = replace(keeper.keep, log=log)
    stored = await _write_pages(keeper, prefix, pages, clock.now())
    assert pages * page_seconds > patience_seconds
    link.delay_seconds = page_seconds
    await keeper.look()
    link.delay_seconds = 0
    assert len(await keeper.announced()) == stored == ROWS_IN_PAGE * pages


async def test_a_comparison_that_dynamodb_breaks_off_goes_on_where_it_was(
    keeper: Keeper, make_settings: MakeSettings, link: SlowLink
) -> None:
    """And Redis, which has lost nothing, is vouched for meanwhile."""
    now = clock.now()
    keeper.keep = replace(keeper.keep, now=lambda: now)  # so that each look reads the same buckets
    await keeper.look(2)
    before = link.requests
    await keeper.look()
    requests = link.requests - before
    stored = await _write_pages(keeper, make_settings().table_prefix, 3, now)
    link.quick_requests, link.delay_seconds = link.requests + requests + 1, 60  # two pages come, the third does not
    log = RevocationLog(keeper.dynamodb, make_settings().table_prefix, patience_seconds=2)
    patient, keeper.keep = keeper.keep, replace(keeper.keep, log=log)
    await keeper.look()
    assert (len(await keeper.announced()), await keeper.words()) == (ROWS_IN_PAGE * 2, 3)
    link.delay_seconds = 0
    keeper.keep, before = patient, link.requests
    await keeper.look()
    assert (len(await keeper.announced()), await keeper.words()) == (stored, 4)
    assert link.requests - before == requests + 1  # the third page, which begins with the last row of the second
    await keeper.look()
    assert (keeper.seen.unfinished, await keeper.words()) == (None, 5)


async def test_many_at_once_disturb_nobody(keeper: Keeper) -> None:
    await keeper.look()
    stored = [await keeper.store(f"tok_{number}") for number in range(20)]
    await asyncio.gather(*(keeper.keep(keeper.seen) for _ in range(3)))
    assert await keeper.announced() == set(map(to_member, stored))
