"""API keys: made by a login, exchanged for tokens, and ended with what they gave."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.auth.domain.api_keys import ApiKey
from services.auth.domain.token_exchange import API_KEY_TYPE
from services.auth.stores.api_keys import ApiKeys
from shared import clock
from tests.service.auth.running import Auth, bearer, oauth_error, problem
from tests.support.clients import exchanging

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
PATH = "/api/api-keys"


async def _key(auth: Auth, token: str | None = None, **members: object) -> dict[str, Any]:
    token = token or (await auth.login())["token"]
    response = await auth.post(PATH, token, {"name": "Reports", **members})
    assert response.status_code == 201, response.text
    key: dict[str, Any] = response.json()
    return key


async def _exchange(auth: Auth, key: str, client: tuple[str, str] | None = None, **more: str) -> httpx.Response:
    form = {"grant_type": EXCHANGE, "subject_token": key, "subject_token_type": API_KEY_TYPE, **more}
    return await auth.http.post("/oauth2/token", data=form, auth=client or httpx.USE_CLIENT_DEFAULT)


async def _row(auth: Auth, key_id: str, **values: int) -> None:
    """Change numbers of the key's row."""
    await auth.resources.backends.dynamodb.update_item(
        TableName=f"{auth.resources.settings.table_prefix}api-keys",
        Key={"key_id": {"S": key_id}},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in values),
        ExpressionAttributeValues={f":{name}": {"N": str(value)} for name, value in values.items()},
    )


async def test_a_key_gives_a_token_of_its_users(auth: Auth) -> None:
    key = await _key(auth, scope="jobs:read")
    response = await _exchange(auth, key["api_key"])
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert body.keys() == {"access_token", "issued_token_type", "token_type", "expires_in", "scope"}
    assert body["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    me = (await auth.get("/api/me", body["access_token"])).json()
    assert (me["user_id"], me["scope"], me["permissions"]) == ("user_testuser", "jobs:read", ["read"])
    assert (me["session_id"], me["client_id"]) == (key["key_id"], "mayfly-api-keys")


async def test_a_key_is_shown_once_and_stored_as_a_hash(auth: Auth) -> None:
    token = (await auth.login())["token"]
    key = await _key(auth, token)
    assert key["api_key"].startswith("mfk_")
    listed = (await auth.get(PATH, token)).json()["api_keys"]
    assert listed == [{name: value for name, value in key.items() if name != "api_key"}]
    rows = await auth.resources.backends.dynamodb.scan(TableName=f"{auth.resources.settings.table_prefix}api-keys")
    assert key["key_id"] in str(rows)
    assert key["api_key"].rpartition("_")[2] not in str(rows)


async def test_an_administrators_key_that_can_read_jobs_makes_no_administrator(auth: Auth) -> None:
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    key = await _key(auth, admin, scope="jobs:read")
    token = (await _exchange(auth, key["api_key"])).json()["access_token"]
    me = (await auth.get("/api/me", token)).json()
    assert (me["roles"], me["scope"]) == (["user"], "jobs:read")
    assert problem(await auth.get("/api/clients", token)) == "insufficient-scope"


@pytest.mark.parametrize("scope", ["admin", "jobs:read admin"])
async def test_a_key_can_not_do_more_than_its_maker(auth: Auth, scope: str) -> None:
    response = await auth.post(PATH, (await auth.login())["token"], {"name": "x", "scope": scope})
    assert (response.status_code, problem(response)) == (403, "scope-too-wide")


async def test_an_exchange_can_ask_for_less_and_not_for_more(auth: Auth) -> None:
    key = (await _key(auth, scope="jobs:read jobs:write"))["api_key"]
    assert (await _exchange(auth, key, scope="jobs:read")).json()["scope"] == "jobs:read"
    assert oauth_error(await _exchange(auth, key, scope="jobs:read admin")) == "invalid_scope"


async def test_a_key_reaches_no_further_than_its_user_does_now(auth: Auth) -> None:
    key = (await _key(auth, scope="jobs:read jobs:write"))["api_key"]
    await auth.resources.backends.dynamodb.update_item(
        TableName=f"{auth.resources.settings.table_prefix}users",
        Key={"username": {"S": "testuser"}},
        UpdateExpression="SET #permissions = :read",
        ExpressionAttributeNames={"#permissions": "permissions"},
        ExpressionAttributeValues={":read": {"L": [{"S": "read"}]}},
    )
    assert (await _exchange(auth, key)).json()["scope"] == "jobs:read"
    assert oauth_error(await _exchange(auth, key, scope="jobs:write")) == "invalid_scope"


async def test_a_disabled_users_key_is_good_for_nothing(auth: Auth) -> None:
    key = (await _key(auth))["api_key"]
    await auth.resources.backends.dynamodb.update_item(
        TableName=f"{auth.resources.settings.table_prefix}users",
        Key={"username": {"S": "testuser"}},
        UpdateExpression="SET disabled = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    assert oauth_error(await _exchange(auth, key)) == "invalid_request"


async def test_a_deleted_key_ends_with_the_tokens_that_it_gave(auth: Auth, other_auth: Auth) -> None:
    login = (await auth.login())["token"]
    key = await _key(auth, login)
    token = (await _exchange(other_auth, key["api_key"])).json()["access_token"]
    path = f"{PATH}/{key['key_id']}"
    for _ in range(2):  # the second time is right after a lost answer
        deleted = await auth.delete(path, login)
        assert deleted.status_code == 204
        assert deleted.headers["revocation-receipt"]
    assert not await auth.accepts(token)
    assert oauth_error(await _exchange(other_auth, key["api_key"])) == "invalid_request"
    assert (await auth.get(PATH, login)).json() == {"api_keys": []}


async def test_a_key_is_its_users_own(auth: Auth) -> None:
    key = await _key(auth)
    alice = (await auth.login("alice", "wonderland-demo"))["token"]
    assert (await auth.get(PATH, alice)).json() == {"api_keys": []}
    for key_id in (key["key_id"], "key_" + "a" * 26, "nothing", "%00", "x" * 300):
        response = await auth.delete(f"{PATH}/{key_id}", alice)
        assert (response.status_code, problem(response)) == (404, "api-key-not-found")
    assert (await _exchange(auth, key["api_key"])).status_code == 200


async def test_an_expired_key_is_refused_and_not_listed(auth: Auth) -> None:
    token = (await auth.login())["token"]
    key = await _key(auth, token)
    await _row(auth, key["key_id"], expires_at=int(clock.now()) - 1)
    assert oauth_error(await _exchange(auth, key["api_key"])) == "invalid_request"
    assert (await auth.get(PATH, token)).json() == {"api_keys": []}


async def test_a_token_does_not_outlive_its_key(auth: Auth) -> None:
    key = await _key(auth)
    await _row(auth, key["key_id"], expires_at=(soon := int(clock.now()) + 60))
    token = (await _exchange(auth, key["api_key"])).json()["access_token"]
    assert (await auth.resources.verifier.verify(token)).claims.exp == soon


async def test_the_last_use_is_written_down_to_the_hour(auth: Auth) -> None:
    token = (await auth.login())["token"]
    key = await _key(auth, token)
    assert key["last_used_at"] is None
    await _exchange(auth, key["api_key"])
    used = (await auth.get(PATH, token)).json()["api_keys"][0]["last_used_at"]
    assert used is not None
    await _row(auth, key["key_id"], last_used_at=int(clock.now()) - 1800)
    await _exchange(auth, key["api_key"])
    assert (await auth.get(PATH, token)).json()["api_keys"][0]["last_used_at"] < used


SPOILED: Mapping[str, Callable[[str], str]] = {
    "another secret": lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
    "longer": lambda key: key + "A",
    "shorter": lambda key: key[:-1],
    "another prefix": lambda key: key.replace("mfk_", "mfx_"),
    "upper case": str.upper,
    "nobody's": lambda _: "mfk_" + "a" * 26 + "_" + "A" * 43,
    "very long": lambda _: "x" * 20_000,
    "not ASCII": lambda _: "\u202e",
}


@pytest.mark.parametrize("how", SPOILED)
async def test_what_is_no_good_key_gets_one_answer(auth: Auth, how: str) -> None:
    key = (await _key(auth))["api_key"]
    response = await _exchange(auth, SPOILED[how](key))
    assert (response.status_code, oauth_error(response)) == (400, "invalid_request")
    assert response.json()["error_description"] == "subject_token: no API key that is good."


async def test_a_client_that_exchanges_a_key_gives_its_name_and_its_limits(auth: Auth) -> None:
    key = (await _key(auth))["api_key"]
    narrow = replace(exchanging("narrow"), scope=frozenset({"jobs:read"}))
    await auth.register(narrow)
    body = (await _exchange(auth, key, ("narrow", "secret"))).json()
    assert body["scope"] == "jobs:read"
    assert (await auth.get("/api/me", body["access_token"])).json()["client_id"] == "narrow"
    assert oauth_error(await _exchange(auth, key, ("narrow", "wrong"))) == "invalid_client"


async def test_only_a_login_makes_keys(auth: Auth) -> None:
    key = await _key(auth)
    of_key = (await _exchange(auth, key["api_key"])).json()["access_token"]
    of_client = (await auth.client_token()).json()["access_token"]
    for token in (of_key, of_client):
        response = await auth.post(PATH, token, {"name": "x"})
        assert (response.status_code, problem(response)) == (403, "login-needed")


async def test_a_users_revocation_ends_a_keys_tokens_and_the_key_gives_new_ones(auth: Auth) -> None:
    login = (await auth.login())["token"]
    key = (await _key(auth, login))["api_key"]
    before = (await _exchange(auth, key)).json()["access_token"]
    await auth.delete("/api/sessions", login)
    assert not await auth.accepts(before)
    assert await auth.accepts((await _exchange(auth, key)).json()["access_token"])


async def test_an_administrator_ends_a_key_by_its_id(auth: Auth) -> None:
    key = await _key(auth)
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    revoked = await auth.post("/api/admin/revocations", admin, {"kind": "session", "value": key["key_id"]})
    assert revoked.status_code == 200
    stored = await auth.resources.parts.api_keys.get(key["key_id"])
    assert stored is not None
    assert stored.ended_at_ms is not None
    assert oauth_error(await _exchange(auth, key["api_key"])) == "invalid_request"


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a\0"}, "/name"),
        ({"name": None}, "/name"),
        ({"expires_in_days": 0}, "/expires_in_days"),
        ({"expires_in_days": 366}, "/expires_in_days"),
        ({"expires_in_days": True}, "/expires_in_days"),
        ({"scope": "everything"}, "/scope"),
        ({"scope": ""}, "/scope"),
        ({"user_id": "user_alice"}, "/user_id"),
        ({"key_id": "key_mine"}, "/key_id"),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_name(auth: Auth, members: dict[str, object], pointer: str) -> None:
    response = await auth.post(PATH, (await auth.login())["token"], {"name": "x"} | members)
    assert (response.status_code, problem(response)) == (422, "validation-failed")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


async def test_a_user_has_so_many_keys_and_no_more(auth: Auth) -> None:
    token = (await auth.login())["token"]
    keys = auth.resources.parts.api_keys
    one = await _key(auth, token)
    stored = await keys.get(one["key_id"])
    assert stored is not None
    for number in range(99):
        await keys.save(replace(stored, key_id=f"key_{number:026d}"))
    response = await auth.http.post(PATH, json={"name": "x"}, headers=bearer(token))
    assert (response.status_code, problem(response)) == (409, "too-many-api-keys")


@pytest.mark.parametrize("how", ["revoke", "delete", "by its id"])
async def test_an_administrator_who_ends_a_user_ends_the_users_keys(auth: Auth, how: str) -> None:
    key = await _key(auth)
    token = (await _exchange(auth, key["api_key"])).json()["access_token"]
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    path = "/api/users/user_testuser"
    ended = await {
        "revoke": lambda: auth.post(f"{path}/revoke", admin),
        "delete": lambda: auth.delete(path, admin),
        "by its id": lambda: auth.post("/api/admin/revocations", admin, {"kind": "user", "value": "user_testuser"}),
    }[how]()
    assert ended.is_success, ended.text
    stored = await auth.resources.parts.api_keys.get(key["key_id"])
    assert stored is not None
    assert stored.ended_at_ms is not None
    assert not await auth.accepts(token)
    assert oauth_error(await _exchange(auth, key["api_key"])) == "invalid_request"


async def test_a_users_revocation_up_to_a_second_leaves_the_keys_made_later(auth: Auth) -> None:
    key = await _key(auth)
    await _row(auth, key["key_id"], created_at_ms=int(clock.now() - 60) * 1000)
    later = await _key(auth)
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    wanted = {"kind": "user", "value": "user_testuser", "not_before": clock.rfc3339(int(clock.now()) - 30)}
    assert (await auth.post("/api/admin/revocations", admin, wanted)).status_code == 200
    assert oauth_error(await _exchange(auth, key["api_key"])) == "invalid_request"
    assert (await _exchange(auth, later["api_key"])).status_code == 200


async def test_a_token_that_is_revoked_while_it_makes_a_key_leaves_none_behind(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst moment: the keys were listed before this one is there, and this instance has heard of nothing."""
    token = (await auth.login())["token"]
    admin = (await auth.login("admin", "admin-demo-only"))["token"]
    keys, save, saved = auth.resources.parts.api_keys, ApiKeys.save, list[str]()

    async def save_late(self: ApiKeys, key: ApiKey) -> None:
        assert (await auth.post("/api/users/user_testuser/revoke", admin)).status_code == 200
        await save(self, key)
        saved.append(key.key_id)

    monkeypatch.setattr(ApiKeys, "save", save_late)
    response = await auth.post(PATH, token, {"name": "x"})
    assert (response.status_code, problem(response)) == (401, "unauthorized")
    assert "revoked" in response.headers["www-authenticate"]
    assert [await keys.get(key_id) for key_id in saved] == [None]
