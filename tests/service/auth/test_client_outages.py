"""Clients, API keys, exchange and introspection while DynamoDB or Redis does not answer: as documented, never a 500."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.auth.domain.grant_types import TOKEN_EXCHANGE
from services.auth.domain.token_exchange import ACCESS_TOKEN_TYPE, API_KEY_TYPE
from shared.testing.ports import free_port
from shared.testing.valkey import Valkey
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import DEMO_CLIENT, Auth, oauth_error, problem, running
from tests.service.auth.slow_link import SlowLink
from tests.support.outages import both_ways, break_redis, mend_redis

CLIENT = {"name": "x", "grant_types": ["client_credentials"], "scope": "jobs:read"}
HOURS = 3600.0


@pytest.fixture(params=["down", "hung"])
async def cut_off(
    request: pytest.FixtureRequest, make_settings: MakeSettings, aws_endpoint_url: str
) -> AsyncIterator[Auth]:
    """An auth whose DynamoDB is not there, or takes requests and never answers."""
    async with AsyncExitStack() as stack:
        if request.param == "down":
            url = f"http://127.0.0.1:{free_port()}"
        else:
            link = await stack.enter_async_context(SlowLink(aws_endpoint_url))
            link.delay_seconds, url = HOURS, link.url
        auth = await stack.enter_async_context(running(make_settings(aws_endpoint_url=url)))
        await auth.until_it_hears()
        yield auth


def _exchange(auth: Auth, subject: str, kind: str, client: tuple[str, str] | None = None) -> Awaitable[httpx.Response]:
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": subject, "subject_token_type": kind}
    return auth.http.post("/oauth2/token", data=form, auth=client or httpx.USE_CLIENT_DEFAULT)


async def _key(auth: Auth, token: str) -> dict[str, Any]:
    key: dict[str, Any] = (await auth.post("/api/api-keys", token, {"name": "x"})).json()
    return key


async def test_without_dynamodb_nothing_is_decided_about_clients_and_keys(auth: Auth, cut_off: Auth) -> None:
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    key, client = await _key(auth, admin), "/api/clients/demo-service"
    answers = await asyncio.gather(
        cut_off.post("/api/clients", admin, CLIENT),
        cut_off.get("/api/clients", admin),
        cut_off.get(client, admin),
        cut_off.patch(client, admin, {"name": "y"}),
        cut_off.delete(client, admin),
        cut_off.post(f"{client}/secrets", admin),
        cut_off.delete(f"{client}/secrets/x", admin),
        cut_off.post("/api/api-keys", admin, {"name": "x"}),
        cut_off.get("/api/api-keys", admin),
        cut_off.delete(f"/api/api-keys/{key['key_id']}", admin),
    )
    for answer in answers:
        assert (answer.status_code, problem(answer)) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    assert (await auth.get(client, admin)).json()["name"] == "A program that works by itself"
    assert (await _exchange(auth, key["api_key"], API_KEY_TYPE)).status_code == 200


async def test_without_dynamodb_no_token_is_exchanged_or_told(auth: Auth, cut_off: Auth) -> None:
    token = (await auth.login())["token"]
    key = (await _key(auth, token))["api_key"]
    answers = await asyncio.gather(
        _exchange(cut_off, key, API_KEY_TYPE),
        _exchange(cut_off, token, ACCESS_TOKEN_TYPE, DEMO_CLIENT),
        cut_off.http.post("/oauth2/introspect", data={"token": token}, auth=DEMO_CLIENT),
        cut_off.http.post("/oauth2/revoke", data={"token": key}),
    )
    for answer in answers:
        assert (answer.status_code, oauth_error(answer)) == (503, "temporarily_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    assert (await _exchange(auth, key, API_KEY_TYPE)).status_code == 200


@pytest.fixture
async def without_redis(make_settings: MakeSettings, tmp_path: Path) -> AsyncIterator[tuple[Auth, Valkey]]:
    async with Valkey(tmp_path) as redis, running(make_settings(redis_url=redis.url)) as auth:
        await auth.until_it_hears()
        yield auth, redis


@both_ways
async def test_without_redis_tokens_are_exchanged_and_told_as_usual(
    without_redis: tuple[Auth, Valkey], how: str
) -> None:
    auth, redis = without_redis
    token = (await auth.login())["token"]
    key = await _key(auth, token)
    await break_redis(redis, how)
    exchanged = await _exchange(auth, key["api_key"], API_KEY_TYPE)
    narrow = await _exchange(auth, token, ACCESS_TOKEN_TYPE, DEMO_CLIENT)
    told = await auth.http.post("/oauth2/introspect", data={"token": token}, auth=DEMO_CLIENT)
    assert [answer.status_code for answer in (exchanged, narrow, told)] == [200] * 3
    ended = await auth.delete(f"/api/api-keys/{key['key_id']}", token)
    assert (ended.status_code, problem(ended)) == (503, "revocation-not-announced")
    assert (await _exchange(auth, key["api_key"], API_KEY_TYPE)).status_code == 400
    assert not await auth.accepts(exchanged.json()["access_token"])
    await mend_redis(redis, how)


@both_ways
async def test_a_client_that_is_deleted_without_redis_is_deleted_again(
    without_redis: tuple[Auth, Valkey], how: str
) -> None:
    auth, redis = without_redis
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    client = (await auth.post("/api/clients", admin, CLIENT)).json()
    path, credentials = f"/api/clients/{client['client_id']}", (client["client_id"], client["client_secret"])
    await break_redis(redis, how)
    deleted = await auth.delete(path, admin)
    assert (deleted.status_code, problem(deleted)) == (503, "revocation-not-announced")
    refused = await auth.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=credentials)
    assert oauth_error(refused) == "invalid_client"
    await mend_redis(redis, how)
    assert (await auth.delete(path, admin)).status_code == 204
    assert (await auth.get(path, admin)).status_code == 404
