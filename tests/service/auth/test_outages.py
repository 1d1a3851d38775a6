"""What is answered while Redis or DynamoDB is down or hangs: soon, as documented, and never a lie."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import httpx
import pytest

from shared import clock
from shared.testing.ports import free_port
from shared.testing.valkey import Valkey
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, problem, running
from tests.support.outages import both_ways, break_redis, mend_redis
from tests.support.waiting import eventually

PROMPTLY_SECONDS = 3.0


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Valkey]:
    """A server that the test may break."""
    async with Valkey(tmp_path) as server:
        yield server


@pytest.fixture
async def frail(make_settings: MakeSettings, redis: Valkey) -> AsyncIterator[Auth]:
    """An auth that depends on it, and hears of its outage after half a second."""
    async with running(make_settings(redis_url=redis.url, revocation_max_staleness_seconds=0.5)) as auth:
        await auth.until_it_hears()
        yield auth


async def _promptly(answer: Awaitable[httpx.Response]) -> httpx.Response:
    started = clock.monotonic()
    response = await answer
    assert clock.monotonic() - started < PROMPTLY_SECONDS
    return response


def _unavailable(response: httpx.Response, code: str = "unavailable") -> None:
    assert (response.status_code, problem(response)) == (503, code)
    assert int(response.headers["retry-after"]) >= 1


@both_ways
async def test_without_redis_there_are_no_logins_until_it_is_back(frail: Auth, redis: Valkey, how: str) -> None:
    await break_redis(redis, how)
    for password in ("testpass", "not-this-one"):
        _unavailable(await _promptly(frail.try_login("testuser", password)))
    await mend_redis(redis, how)
    await frail.login()


@both_ways
async def test_without_redis_good_tokens_stay_good(frail: Auth, redis: Valkey, how: str) -> None:
    tokens = await frail.login()
    await break_redis(redis, how)
    for _ in range(4):
        assert (await _promptly(frail.get("/api/me", tokens["token"]))).status_code == 200
        await asyncio.sleep(0.3)
    refreshed = await _promptly(frail.refresh(tokens["refresh_token"]))
    assert refreshed.status_code == 200
    assert await frail.accepts(refreshed.json()["access_token"])
    assert (await _promptly(frail.client_token())).status_code == 200
    assert (await _promptly(frail.http.get("/.well-known/jwks.json"))).status_code == 200
    await mend_redis(redis, how)


@both_ways
async def test_a_revocation_without_redis_is_stored_and_announced_later(
    frail: Auth, redis: Valkey, how: str, make_settings: MakeSettings
) -> None:
    tokens = await frail.login()
    async with running(make_settings(redis_url=redis.url, revocation_max_staleness_seconds=60)) as other:
        await other.until_it_hears()
        await break_redis(redis, how)
        _unavailable(await _promptly(frail.post("/api/logout", tokens["token"])), "revocation-not-announced")
        assert not await frail.accepts(tokens["token"])
        assert (await frail.refresh(tokens["refresh_token"])).status_code == 400
        await mend_redis(redis, how)

        async def heard_elsewhere() -> bool:
            return not await other.accepts(tokens["token"])

        await eventually(heard_elsewhere, timeout_seconds=10)


@both_ways
async def test_a_revocation_without_redis_holds_where_redis_is_missed(
    frail: Auth, redis: Valkey, how: str, make_settings: MakeSettings
) -> None:
    """The other instance heard nothing: past the bound it asks the durable truth."""
    tokens = await frail.login()
    async with running(make_settings(redis_url=redis.url, revocation_max_staleness_seconds=0.5)) as other:
        await other.until_it_hears()
        await break_redis(redis, how)
        await frail.http.post("/oauth2/revoke", data={"token": tokens["token"]})
        await asyncio.sleep(0.6)
        assert not await other.accepts(tokens["token"])
        await mend_redis(redis, how)


async def test_an_oauth_request_during_an_outage_is_answered_in_oauths_words(frail: Auth, redis: Valkey) -> None:
    tokens = await frail.login()
    redis.pause()
    response = await _promptly(frail.http.post("/oauth2/revoke", data={"token": tokens["token"]}))
    redis.resume()
    assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")
    assert response.headers["retry-after"] == "1"
    assert response.headers["cache-control"] == "no-store"


@both_ways
async def test_readiness_names_a_missing_redis_and_keeps_the_instance(frail: Auth, redis: Valkey, how: str) -> None:
    await break_redis(redis, how)
    await asyncio.sleep(0.6)
    response = await _promptly(frail.http.get("/readyz"))
    checks = response.json()["checks"]
    assert response.status_code == 200
    assert checks["redis"]["detail"] == "does not answer: no logins"
    assert "DynamoDB" in checks["revocations"]["detail"]
    await mend_redis(redis, how)


@pytest.fixture
async def cut_off(make_settings: MakeSettings) -> AsyncIterator[Auth]:
    """An auth whose DynamoDB is not there."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with running(make_settings(aws_endpoint_url=nowhere)) as auth:
        yield auth


async def test_without_dynamodb_nothing_is_decided(cut_off: Auth, auth: Auth) -> None:
    await cut_off.until_it_hears()
    tokens = await auth.login()
    _unavailable(await _promptly(cut_off.try_login("testuser", "testpass")))
    _unavailable(await _promptly(cut_off.post("/api/logout", tokens["token"])))
    _unavailable(await _promptly(cut_off.get("/api/sessions", tokens["token"])))
    for response in (await cut_off.refresh(tokens["refresh_token"]), await cut_off.client_token()):
        assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")
    assert await cut_off.accepts(tokens["token"])
    assert await auth.accepts(tokens["token"])


async def test_without_dynamodb_the_instance_is_not_ready_and_says_why(cut_off: Auth) -> None:
    response = await _promptly(cut_off.http.get("/readyz"))
    assert response.status_code == 503
    assert response.json()["checks"]["dynamodb"]["ok"] is False


async def test_without_both_a_token_is_neither_taken_nor_refused(
    make_settings: MakeSettings, auth: Auth, redis: Valkey
) -> None:
    token = (await auth.login())["token"]
    settings = make_settings(redis_url=redis.url, aws_endpoint_url=f"http://127.0.0.1:{free_port()}")
    await redis.kill()
    async with running(settings) as blind:
        response = await _promptly(blind.get("/api/me", token))
        _unavailable(response, "revocation-unknown")
        ready = await _promptly(blind.http.get("/readyz"))
        assert (ready.status_code, ready.json()["checks"]["revocations"]["ok"]) == (503, False)
        assert (await blind.http.get("/livez")).status_code == 200


async def test_a_flushed_redis_is_filled_from_the_durable_truth(frail: Auth, redis: Valkey) -> None:
    lost = await frail.login()
    await frail.post("/api/logout", lost["token"])
    kept = await frail.login()
    generation = await frail.resources.backends.redis.get("mayfly:revocations:generation")
    await redis.flush()

    async def filled() -> bool:
        now = await frail.resources.backends.redis.get("mayfly:revocations:generation")
        return now not in {None, generation} and await frail.resources.backends.redis.zcard("mayfly:revocations") == 1

    await eventually(filled)
    await frail.until_it_hears()
    assert not await frail.accepts(lost["token"])
    assert await frail.accepts(kept["token"])


async def test_a_new_instance_knows_what_a_flushed_redis_has_lost(
    frail: Auth, redis: Valkey, make_settings: MakeSettings
) -> None:
    lost = await frail.login()
    await frail.post("/api/logout", lost["token"])
    await redis.flush()
    async with running(make_settings(redis_url=redis.url)) as fresh:
        assert not await fresh.accepts(lost["token"])
        await fresh.until_it_hears()
        assert not await fresh.accepts(lost["token"])
