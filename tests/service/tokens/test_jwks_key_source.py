"""The keys come over HTTP, from a server that is slow, down, wrong, flooded and rotated."""

import asyncio
import json
import math
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import REGISTRY

from shared import clock
from shared.clients.http import open_http
from shared.errors import Unavailable
from shared.testing.tokens import TokenFactory, new_signing_key
from shared.tokens.jwks_key_source import MAX_BODY_BYTES, JwksKeySource, JwksTiming
from shared.tokens.keyset import KeySet, public_jwks
from tests.service.tokens.canned_server import CannedServer
from tests.support.waiting import eventually

TOKENS = TokenFactory(alg="ES256")
NEW_KEY = new_signing_key("ES256")
OLD_SET = json.dumps(TOKENS.jwks()).encode()
NEW_SET = json.dumps(public_jwks([TOKENS.key, NEW_KEY])).encode()
TIMING = JwksTiming(timeout_seconds=0.5)


class Later:
    """The monotonic clock, moved ahead as far as a test wants."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return clock.monotonic() + self.ahead


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with open_http() as client:
        yield client


@pytest.fixture
async def auth() -> AsyncIterator[CannedServer]:
    async with CannedServer(OLD_SET) as server:
        yield server


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
async def source(auth: CannedServer, http: httpx.AsyncClient, later: Later) -> AsyncIterator[JwksKeySource]:
    """A source that has fetched once."""
    followed = JwksKeySource(http, auth.url, timing=TIMING, monotonic=later)
    followed.start()
    await eventually(lambda: has_keys(followed))
    yield followed
    await followed.stop()


async def has_keys(source: JwksKeySource) -> bool:
    try:
        source.current()
    except Unavailable:
        return False
    return True


async def test_published_keys_are_fetched(source: JwksKeySource) -> None:
    assert source.current() == TOKENS.key_set()
    assert 0 <= source.age() < 5
    assert REGISTRY.get_sample_value("mayfly_jwks_age_seconds") == pytest.approx(source.age(), abs=1)


async def test_a_key_that_was_just_published_is_found(source: JwksKeySource, auth: CannedServer) -> None:
    auth.body = NEW_SET
    assert (await source.look_for(NEW_KEY.kid)).find(NEW_KEY.kid) is not None
    assert source.current().find(NEW_KEY.kid) is not None


async def test_a_flood_of_unknown_kids_makes_one_fetch(source: JwksKeySource, auth: CannedServer) -> None:
    auth.delay_seconds = 0.05
    sets = await asyncio.gather(*(source.look_for(f"kid-{number}") for number in range(50)))
    assert all(key_set is source.current() for key_set in sets)
    await source.look_for("one-more")
    assert auth.requests == 2


async def test_after_the_cooldown_an_unknown_kid_is_looked_for_again(
    source: JwksKeySource, auth: CannedServer, later: Later
) -> None:
    await source.look_for("kid-1")
    later.ahead += TIMING.cooldown_seconds - 1
    await source.look_for("kid-2")
    assert auth.requests == 2
    later.ahead += 2
    await source.look_for("kid-3")
    assert auth.requests == 3


async def test_an_unchanged_set_stays_the_same_object(source: JwksKeySource, auth: CannedServer) -> None:
    before = source.current()
    auth.body = json.dumps(TOKENS.jwks(), indent=2).encode()
    assert await source.look_for("other") is before
    assert auth.requests == 2


async def test_keys_serve_on_while_auth_is_down_until_they_are_too_old(
    source: JwksKeySource, auth: CannedServer, later: Later
) -> None:
    await auth.stop()
    later.ahead = TIMING.max_age_seconds - 5
    assert source.current() == TOKENS.key_set()
    later.ahead = TIMING.max_age_seconds + 5
    with pytest.raises(Unavailable) as unavailable:
        source.current()
    assert unavailable.value.retry_after_seconds == 1
    await auth.start()


async def test_an_unknown_kid_is_not_judged_while_auth_is_down(source: JwksKeySource, auth: CannedServer) -> None:
    await auth.stop()
    with pytest.raises(Unavailable):
        await source.look_for(NEW_KEY.kid)
    with pytest.raises(Unavailable):
        await source.look_for(NEW_KEY.kid)
    assert source.current() == TOKENS.key_set()
    await auth.start()


async def test_a_failed_look_is_soon_made_again(source: JwksKeySource, auth: CannedServer, later: Later) -> None:
    auth.status = 500
    with pytest.raises(Unavailable):
        await source.look_for(NEW_KEY.kid)
    auth.status, auth.body = 200, NEW_SET
    later.ahead += 3
    assert (await source.look_for(NEW_KEY.kid)).find(NEW_KEY.kid) is not None


async def test_a_flood_while_auth_is_down_makes_one_fetch(source: JwksKeySource, auth: CannedServer) -> None:
    auth.status, auth.delay_seconds = 503, 0.05
    results = await asyncio.gather(*(source.look_for(str(number)) for number in range(50)), return_exceptions=True)
    assert {type(result) for result in results} == {Unavailable}
    assert auth.requests == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, OLD_SET),
        (204, b""),
        (302, OLD_SET),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"keys": []}'),
        (200, b'{"keys": [], "keys": []}'),
        (200, json.dumps({"keys": [{**TOKENS.key.public_jwk, "d": "AAAA"}]}).encode()),
        (200, OLD_SET + b" " * MAX_BODY_BYTES),
    ],
)
async def test_a_bad_answer_takes_no_key_away(
    source: JwksKeySource, auth: CannedServer, status: int, body: bytes
) -> None:
    auth.status, auth.body = status, body
    auth.headers = {"location": "/elsewhere"}
    before = source.current()
    with pytest.raises(Unavailable):
        await source.look_for("other")
    assert source.current() is before


async def test_an_answer_that_does_not_come_is_not_waited_for(source: JwksKeySource, auth: CannedServer) -> None:
    auth.delay_seconds = 60
    started = clock.monotonic()
    with pytest.raises(Unavailable):
        await source.look_for("other")
    assert clock.monotonic() - started < 2


async def test_without_auth_at_the_start_there_are_no_keys_until_it_comes(http: httpx.AsyncClient) -> None:
    auth = CannedServer(OLD_SET)
    await auth.start()
    await auth.stop()
    source = JwksKeySource(http, auth.url, timing=TIMING)
    source.start()
    await asyncio.sleep(0.3)
    with pytest.raises(Unavailable):
        source.current()
    assert source.age() == math.inf
    await auth.start()
    await eventually(lambda: has_keys(source))
    await source.stop()
    await auth.stop()


async def test_keys_are_fetched_again_before_they_are_old(http: httpx.AsyncClient, auth: CannedServer) -> None:
    source = JwksKeySource(http, auth.url, timing=JwksTiming(refresh_seconds=0.1))
    source.start()

    async def new_key_is_known() -> bool:
        return await has_keys(source) and source.current().find(NEW_KEY.kid) is not None

    await eventually(lambda: has_keys(source))
    auth.body = NEW_SET
    await eventually(new_key_is_known)
    await source.stop()


async def test_the_published_cache_time_shortens_the_pause_between_fetches(
    http: httpx.AsyncClient, auth: CannedServer
) -> None:
    auth.headers = {"cache-control": "public, max-age=1"}
    source = JwksKeySource(http, auth.url)
    source.start()
    await eventually(lambda: has_keys(source))

    async def fetched_again() -> bool:
        return auth.requests >= 2

    await eventually(fetched_again)
    await source.stop()


async def outdated_source(http: httpx.AsyncClient, auth: CannedServer, later: Later) -> JwksKeySource:
    """One that has fetched a set of which it is known that its key was revoked, and has just looked in vain."""

    def names_old_key(key_set: KeySet) -> bool:
        return key_set.find(TOKENS.key.kid) is not None

    source = JwksKeySource(http, auth.url, timing=TIMING, is_outdated=names_old_key, monotonic=later)
    source.start()
    await eventually(lambda: has_keys(source))
    return source


async def test_no_kid_is_judged_by_a_set_that_is_known_to_be_outdated(
    http: httpx.AsyncClient, auth: CannedServer, later: Later
) -> None:
    source = await outdated_source(http, auth, later)
    for _ in range(3):
        later.ahead += 1
        with pytest.raises(Unavailable):
            await source.look_for(NEW_KEY.kid)
    assert auth.requests == 4, "without a cooldown"
    auth.body = json.dumps(public_jwks([NEW_KEY])).encode()
    later.ahead += 1
    assert (await source.look_for(NEW_KEY.kid)).find(NEW_KEY.kid) is not None
    assert (await source.look_for("made-up")).find("made-up") is None
    await source.stop()


async def test_a_new_key_in_an_outdated_set_is_taken(http: httpx.AsyncClient, auth: CannedServer, later: Later) -> None:
    source = await outdated_source(http, auth, later)
    auth.body = NEW_SET
    later.ahead += 1
    assert (await source.look_for(NEW_KEY.kid)).find(NEW_KEY.kid) is not None
    await source.stop()


async def test_a_flood_meets_an_outdated_set_with_few_fetches(
    http: httpx.AsyncClient, auth: CannedServer, later: Later
) -> None:
    source = await outdated_source(http, auth, later)
    later.ahead += 1
    results = await asyncio.gather(*(source.look_for(str(number)) for number in range(50)), return_exceptions=True)
    assert {type(result) for result in results} == {Unavailable}
    assert auth.requests == 2
    await source.stop()


async def test_a_set_that_stays_outdated_is_what_auth_wants(
    http: httpx.AsyncClient, auth: CannedServer, later: Later
) -> None:
    source = await outdated_source(http, auth, later)
    later.ahead += 1
    with pytest.raises(Unavailable):
        await source.look_for("made-up")
    later.ahead += 61
    assert (await source.look_for("made-up")).find("made-up") is None
    await source.stop()


async def test_a_caller_that_leaves_does_not_end_the_fetch_of_others(source: JwksKeySource, auth: CannedServer) -> None:
    auth.delay_seconds, auth.body = 0.1, NEW_SET
    leaving = asyncio.create_task(source.look_for(NEW_KEY.kid))
    staying = asyncio.create_task(source.look_for(NEW_KEY.kid))
    await asyncio.sleep(0.02)
    leaving.cancel()
    assert (await staying).find(NEW_KEY.kid) is not None
    assert leaving.cancelled()


async def test_it_stops_in_the_middle_of_a_fetch(http: httpx.AsyncClient, auth: CannedServer) -> None:
    auth.delay_seconds = 60
    source = JwksKeySource(http, auth.url)
    await source.stop()
    source.start()
    await asyncio.sleep(0.1)
    await source.stop()
    assert auth.requests == 1
