"""RFC 7662: who is told what of which token, and that looking at one changes nothing."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.auth.domain.token_exchange import ACCESS_TOKEN_TYPE
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import DEMO_CLIENT, Auth, oauth_error, running
from tests.support.clients import exchanging, registered

INACTIVE = {"active": False}
GATEWAY, BILLING, APP = ("gateway", "secret"), ("billing", "secret"), ("app", "secret")


async def _introspect(auth: Auth, token: str, client: tuple[str, str] = DEMO_CLIENT, **more: str) -> httpx.Response:
    return await auth.http.post("/oauth2/introspect", data={"token": token, **more}, auth=client)


async def _told(auth: Auth, token: str, client: tuple[str, str] = DEMO_CLIENT, **more: str) -> dict[str, Any]:
    response = await _introspect(auth, token, client, **more)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    body: dict[str, Any] = response.json()
    return body


async def _api_key(auth: Auth) -> dict[str, Any]:
    created = await auth.post("/api/api-keys", (await auth.login())["token"], {"name": "x", "scope": "jobs:read"})
    key: dict[str, Any] = created.json()
    return key


async def test_an_access_token_is_told_as_it_stands(auth: Auth) -> None:
    tokens = await auth.login()
    told = await _told(auth, tokens["token"])
    claims = (await auth.resources.verifier.verify(tokens["token"])).claims
    assert told == {
        "active": True,
        "token_type": "Bearer",
        "iss": "http://auth.test",
        "sub": "user_testuser",
        "aud": "mayfly",
        "client_id": "mayfly-login",
        "jti": claims.jti,
        "iat": claims.iat,
        "nbf": claims.nbf,
        "exp": claims.exp,
        "scope": "jobs:read jobs:write",
        "sid": tokens["session_id"],
        "username": "testuser",
        "roles": ["user"],
        "permissions": ["read", "write"],
    }


async def test_a_refresh_token_is_told_and_is_as_good_as_before(auth: Auth) -> None:
    tokens = await auth.login()
    told = await _told(auth, tokens["refresh_token"], token_type_hint="access_token")
    assert (told["active"], told["sub"], told["sid"]) == (True, "user_testuser", tokens["session_id"])
    assert "token_type" not in told
    refreshed = await auth.refresh(tokens["refresh_token"])
    assert refreshed.status_code == 200
    assert (await _told(auth, refreshed.json()["refresh_token"]))["active"]


async def test_an_api_key_is_told(auth: Auth) -> None:
    key = await _api_key(auth)
    told = await _told(auth, key["api_key"])
    assert (told["active"], told["sub"], told["sid"], told["scope"]) == (
        True, "user_testuser", key["key_id"], "jobs:read",
    )  # fmt: skip


async def test_what_has_ended_is_not_active(auth: Auth) -> None:
    tokens, key = await auth.login(), await _api_key(auth)
    await auth.post("/api/logout", tokens["token"])
    await auth.delete(f"/api/api-keys/{key['key_id']}", (await auth.login())["token"])
    for token in (tokens["token"], tokens["refresh_token"], key["api_key"]):
        assert await _told(auth, token) == INACTIVE


async def test_looking_at_a_used_refresh_token_does_not_end_the_session(make_settings: MakeSettings) -> None:
    async with running(make_settings(refresh_grace_seconds=0)) as auth:
        old = (await auth.login())["refresh_token"]
        new = (await auth.refresh(old)).json()["refresh_token"]
        assert await _told(auth, old) == INACTIVE
        assert (await auth.refresh(new)).status_code == 200


@pytest.mark.parametrize("kind", ["user", "client"])
async def test_a_refresh_token_of_what_was_revoked_is_not_active(auth: Auth, kind: str) -> None:
    tokens = await auth.login()
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    value = {"user": "user_testuser", "client": "mayfly-login"}[kind]
    await auth.post("/api/admin/revocations", admin, {"kind": kind, "value": value})
    assert await _told(auth, tokens["refresh_token"]) == INACTIVE


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "x" * 20_000,
        "a.b.c",
        "eyJhbGciOiJub25lIn0.e30.",
        "\u202e",
        f"ses_{'a' * 26}.{'A' * 65}",
        f"mfk_{'a' * 26}_{'A' * 43}",
    ],
)
async def test_what_is_no_token_gets_the_answer_of_an_old_one(auth: Auth, token: str) -> None:
    assert await _told(auth, token) == INACTIVE


async def test_a_client_is_told_of_its_own_tokens_and_of_those_made_for_it(auth: Auth) -> None:
    await auth.register(exchanging("gateway", "secret", "billing"))
    await auth.register(exchanging("billing", "secret"))
    user = (await auth.login())["token"]
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": user,
        "subject_token_type": ACCESS_TOKEN_TYPE,
        "audience": "billing",
    }
    token = (await auth.http.post("/oauth2/token", data=form, auth=GATEWAY)).json()["access_token"]
    assert (await _told(auth, token, GATEWAY))["act"] == {"sub": "gateway"}
    assert (await _told(auth, token, BILLING))["aud"] == "billing"
    await auth.register(registered("app"))
    assert await _told(auth, token, APP) == INACTIVE


async def test_a_client_that_may_not_introspect_is_told_nothing_of_others(auth: Auth) -> None:
    await auth.register(registered("app"))
    tokens, key = await auth.login(), await _api_key(auth)
    own = (await auth.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=APP)).json()
    assert (await _told(auth, own["access_token"], APP))["sub"] == "app"
    for token in (tokens["token"], tokens["refresh_token"], key["api_key"]):
        assert await _told(auth, token, APP) == INACTIVE


async def test_only_a_client_that_proves_who_it_is_may_ask(auth: Auth) -> None:
    await auth.register(replace(registered("page"), auth_method="none", secrets=(), grant_types=frozenset()))
    token = (await auth.login())["token"]
    for client in (("demo-service", "wrong"), ("nobody", "x"), ("page", ""), ("mayfly-login", "")):
        response = await _introspect(auth, token, client)
        assert (response.status_code, oauth_error(response)) == (401, "invalid_client")
        assert response.headers["www-authenticate"].startswith("Basic ")
    for form in ({"token": token}, {"token": token, "client_id": "page"}):
        response = await auth.http.post("/oauth2/introspect", data=form)
        assert (response.status_code, oauth_error(response)) == (401, "invalid_client")


async def test_a_bearer_token_is_no_client(auth: Auth) -> None:
    token = (await auth.login())["token"]
    headers = {"authorization": f"Bearer {token}"}
    response = await auth.http.post("/oauth2/introspect", data={"token": token}, headers=headers)
    assert (response.status_code, oauth_error(response)) == (401, "invalid_client")


async def test_a_client_that_asks_too_often_waits_and_others_do_not(make_settings: MakeSettings) -> None:
    async with running(make_settings(introspections_per_second=1)) as auth:
        await auth.register(registered("app"))
        assert (await _introspect(auth, "x")).status_code == 200
        answers = [await _introspect(auth, "x") for _ in range(3)]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert oauth_error(refused) == "temporarily_unavailable"
        assert int(refused.headers["retry-after"]) >= 1
        assert (await _introspect(auth, "x", APP)).status_code == 200


async def test_without_a_token_there_is_nothing_to_tell(auth: Auth) -> None:
    response = await auth.http.post("/oauth2/introspect", data={}, auth=DEMO_CLIENT)
    assert (response.status_code, oauth_error(response)) == (400, "invalid_request")
    response = await auth.http.post("/oauth2/introspect", json={"token": "x"}, auth=DEMO_CLIENT)
    assert (response.status_code, oauth_error(response)) == (400, "invalid_request")


async def test_a_refresh_token_of_before_a_change_of_password_is_not_active(auth: Auth) -> None:
    other, mine = await auth.login(), await auth.login()
    change = {"current_password": "testpass", "new_password": "another-good-password"}
    assert (await auth.post("/api/me/password", mine["token"], change)).status_code == 204
    assert await _told(auth, other["refresh_token"]) == INACTIVE
    assert (await _told(auth, mine["refresh_token"]))["active"]
