"""RFC 7009, for refresh tokens and for access tokens that others verify offline."""

import httpx
import pytest

from services.auth.domain.grant_types import TOKEN_EXCHANGE
from services.auth.domain.token_exchange import API_KEY_TYPE
from tests.service.auth.running import DEMO_CLIENT, Auth
from tests.support.waiting import eventually


async def _revoke(auth: Auth, token: str, *, auth_as: tuple[str, str] | None = None, **more: str) -> httpx.Response:
    if auth_as is None:
        return await auth.http.post("/oauth2/revoke", data={"token": token, **more})
    return await auth.http.post("/oauth2/revoke", data={"token": token, **more}, auth=auth_as)


async def test_a_revoked_access_token_is_refused_everywhere_and_its_session_lives(auth: Auth, other_auth: Auth) -> None:
    tokens = await auth.login()
    response = await _revoke(auth, tokens["token"])
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["cache-control"] == "no-store"
    assert not await auth.accepts(tokens["token"])
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 200

    async def refused() -> bool:
        return not await other_auth.accepts(tokens["token"])

    await eventually(refused, timeout_seconds=2)


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "nonsense"])
async def test_a_revoked_refresh_token_ends_its_session(auth: Auth, hint: str) -> None:
    tokens = await auth.login()
    assert (await _revoke(auth, tokens["refresh_token"], token_type_hint=hint)).status_code == 200
    assert not await auth.accepts(tokens["token"])
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 400


async def test_a_refresh_token_that_was_used_still_ends_its_session(auth: Auth) -> None:
    tokens = await auth.login()
    successor = (await auth.refresh(tokens["refresh_token"])).json()
    assert (await _revoke(auth, tokens["refresh_token"])).status_code == 200
    assert not await auth.accepts(successor["access_token"])


async def test_revoking_twice_is_no_error(auth: Auth) -> None:
    tokens = await auth.login()
    for token in (tokens["token"], tokens["token"], tokens["refresh_token"], tokens["refresh_token"]):
        assert (await _revoke(auth, token)).status_code == 200


@pytest.mark.parametrize("token", ["x", "a.b.c", "ses_" + "a" * 26 + "." + "A" * 65, "A" * 5000, "é"])
async def test_what_is_no_token_is_no_error(auth: Auth, token: str) -> None:
    assert (await _revoke(auth, token)).status_code == 200


async def test_a_made_up_refresh_token_ends_nothing(auth: Auth) -> None:
    tokens = await auth.login()
    assert (await _revoke(auth, f"{tokens['session_id']}.{'A' * 65}")).status_code == 200
    assert await auth.accepts(tokens["token"])


async def test_a_token_of_another_client_is_refused(auth: Auth) -> None:
    users, clients = (await auth.login())["token"], (await auth.client_token()).json()["access_token"]
    for response in (await _revoke(auth, users, auth_as=DEMO_CLIENT), await _revoke(auth, clients)):
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert await auth.accepts(users)
    assert await auth.accepts(clients)


async def test_a_client_revokes_its_own_token(auth: Auth) -> None:
    token = (await auth.client_token()).json()["access_token"]
    assert (await _revoke(auth, token, auth_as=DEMO_CLIENT)).status_code == 200
    assert not await auth.accepts(token)


async def test_a_client_that_is_not_who_it_says_is_refused(auth: Auth) -> None:
    token = (await auth.client_token()).json()["access_token"]
    response = await _revoke(auth, token, auth_as=(DEMO_CLIENT[0], "wrong"))
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert await auth.accepts(token)


async def test_a_request_without_a_token_is_refused(auth: Auth) -> None:
    response = await auth.http.post("/oauth2/revoke", data={"x": "y"})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def _api_key(auth: Auth) -> tuple[str, str]:
    """A key, and a token that it gave."""
    created = await auth.post("/api/api-keys", (await auth.login())["token"], {"name": "x"})
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": created.json()["api_key"],
        "subject_token_type": API_KEY_TYPE,
    }
    given = await auth.http.post("/oauth2/token", data=form)
    return created.json()["api_key"], given.json()["access_token"]


@pytest.mark.parametrize("client", [None, DEMO_CLIENT])
async def test_whoever_has_an_api_key_may_end_it(auth: Auth, client: tuple[str, str] | None) -> None:
    key, token = await _api_key(auth)
    for _ in range(2):
        response = await _revoke(auth, key, auth_as=client)
        assert response.status_code == 200
        assert response.headers["revocation-receipt"]
    assert not await auth.accepts(token)


async def test_a_made_up_api_key_ends_nothing(auth: Auth) -> None:
    key, token = await _api_key(auth)
    response = await _revoke(auth, key[:-1] + ("A" if key[-1] != "A" else "B"))
    assert response.status_code == 200
    assert "revocation-receipt" not in response.headers
    assert await auth.accepts(token)


async def test_a_token_that_an_api_key_gave_is_given_back_by_whoever_has_it(auth: Auth) -> None:
    _, token = await _api_key(auth)
    refused = await _revoke(auth, token, auth_as=DEMO_CLIENT)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert (await _revoke(auth, token)).status_code == 200
    assert not await auth.accepts(token)
