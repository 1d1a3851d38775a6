import asyncio
import os
import sys
import threading
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from services.auth.domain.problems import TooManyLogins
from services.auth.passwords import Passwords, Verification
from services.auth.settings import AuthSettings
from services.auth.stores.users import Users
from shared import clock
from shared.clients.aws import open_dynamodb
from shared.testing.ports import free_port
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, problem, running


def _verifications() -> float:
    return sum(
        REGISTRY.get_sample_value("mayfly_password_verifications_total", {"outcome": outcome}) or 0
        for outcome in ("right", "wrong")
    )


async def test_a_login_answers_what_the_contract_says(auth: Auth) -> None:
    response = await auth.try_login("testuser", "testpass")
    body = response.json()
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert body.keys() == {
        "success", "token", "token_type", "expires_in", "expires_at", "refresh_token", "session_id",
    }  # fmt: skip
    assert body["success"] is True
    assert body["token_type"] == "Bearer"
    assert 898 <= body["expires_in"] <= 900  # seconds that passed while the password was checked are gone
    assert abs(body["expires_at"] - (clock.now() + 900)) <= 2
    assert body["refresh_token"].startswith(body["session_id"] + ".")


async def test_the_token_says_who_it_is_about(auth: Auth) -> None:
    tokens = await auth.login()
    claims = (await auth.resources.verifier.verify(tokens["token"])).claims
    assert claims.iss == "http://auth.test"
    assert claims.sub == "user_testuser"
    assert claims.aud == ("mayfly",)
    assert claims.client_id == "mayfly-login"
    assert claims.sid == tokens["session_id"]
    assert claims.scope == {"jobs:read", "jobs:write"}
    assert claims.roles == ("user",)
    assert claims.permissions == ("read", "write")
    assert claims.username == "testuser"
    assert claims.exp == tokens["expires_at"]


async def test_an_admin_has_the_admin_scope(auth: Auth) -> None:
    token = (await auth.login("admin", "admin-demo-only"))["token"]
    assert (await auth.get("/api/me", token)).json()["scope"] == "admin jobs:read jobs:write"


@pytest.mark.parametrize("username", ["TestUser", "TESTUSER", "\uff54estuser"])
async def test_a_username_is_the_same_in_any_spelling(auth: Auth, username: str) -> None:
    assert (await auth.try_login(username, "testpass")).status_code == 200


async def test_a_password_is_the_same_however_the_keyboard_writes_it(auth: Auth) -> None:
    assert (await auth.try_login("testuser", "\uff54estpass")).status_code == 200
    assert (await auth.try_login("testuser", "TESTPASS")).status_code == 401


def _without_ids(response: httpx.Response) -> tuple[int, dict[str, Any], dict[str, Any]]:
    ids = {"x-request-id", "traceparent"}
    headers = {name: value for name, value in response.headers.items() if name not in ids}
    return response.status_code, headers, response.json() | {"trace_id": ""}


async def test_unknown_user_and_wrong_password_get_the_same_answer(auth: Auth) -> None:
    unknown = await auth.try_login("nobody", "testpass")
    wrong = await auth.try_login("testuser", "not-this-one")
    assert problem(unknown) == "invalid-credentials"
    assert unknown.status_code == 401
    assert _without_ids(unknown) == _without_ids(wrong)


async def test_unknown_user_and_wrong_password_cost_one_verification_each(auth: Auth) -> None:
    before = _verifications()
    await auth.try_login("nobody", "testpass")
    between = _verifications()
    await auth.try_login("testuser", "not-this-one")
    assert (between - before, _verifications() - between) == (1, 1)


async def test_a_disabled_user_is_answered_like_a_wrong_password(auth: Auth, make_settings: MakeSettings) -> None:
    settings = make_settings()
    async with open_dynamodb(settings) as dynamodb:
        await dynamodb.update_item(
            TableName=f"{settings.table_prefix}users",
            Key={"username": {"S": "alice"}},
            UpdateExpression="SET disabled = :yes",
            ExpressionAttributeValues={":yes": {"BOOL": True}},
        )
    assert problem(await auth.try_login("alice", "wonderland-demo")) == "invalid-credentials"


async def _stored_hash(settings: AuthSettings) -> str:
    async with open_dynamodb(settings) as dynamodb:
        user = await Users(dynamodb, settings.table_prefix).get("testuser")
    assert user is not None
    return user.password_hash


async def test_a_hash_is_renewed_when_the_parameters_rise(make_settings: MakeSettings) -> None:
    settings = make_settings(password_memory_kib=9000)
    before = await _stored_hash(settings)
    async with running(settings) as auth:
        await auth.login()
        renewed = await _stored_hash(settings)
        await auth.login()
    assert "m=8192" in before
    assert "m=9000" in renewed
    assert await _stored_hash(settings) == renewed


async def test_a_hash_is_not_renewed_when_the_parameters_fall(make_settings: MakeSettings) -> None:
    async with running(make_settings(password_memory_kib=9000)) as auth:
        await auth.login()
    async with running(make_settings()) as auth:
        await auth.login()
    assert "m=9000" in await _stored_hash(make_settings())


async def test_a_password_past_the_queue_is_refused_and_told_when_to_come_back() -> None:
    passwords = Passwords(memory_kib=8192, iterations=1, threads=1, queue=0)
    both = await asyncio.gather(*(passwords.hash("right") for _ in range(2)), return_exceptions=True)
    assert isinstance(both[0], str)
    assert isinstance(both[1], TooManyLogins)
    assert both[1].retry_after_seconds == 1
    assert await passwords.verify(both[0], "right") == Verification(is_right=True)
    assert await passwords.verify(both[0], "wrong") == Verification(is_right=False)
    passwords.close()


async def test_a_login_past_the_queue_asks_nobody_anything(make_settings: MakeSettings) -> None:
    """Its backends are not there, which it would notice: a storm of logins is no storm of reads."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with running(make_settings(password_threads=1, password_queue=0, aws_endpoint_url=nowhere)) as busy:
        hashing = asyncio.create_task(busy.resources.backends.passwords.hash("takes the only thread"))
        await asyncio.sleep(0)
        response = await busy.try_login("testuser", "testpass")
        assert (response.status_code, problem(response)) == (429, "too-many-logins")
        assert response.headers["retry-after"] == "1"
        await hashing


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no niceness of its own")
async def test_passwords_are_checked_behind_all_else_that_the_process_does() -> None:
    passwords = Passwords(memory_kib=8192, iterations=1, threads=1, queue=0)
    before = set(threading.enumerate())
    try:
        await passwords.hash("a lamp on the stairs")
        new = set(threading.enumerate()) - before
        niceness = max(os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) for thread in new)
    finally:
        passwords.close()
    assert niceness > os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
