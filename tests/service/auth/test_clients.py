"""`/api/clients`: registering programs, their secrets, and ending them with all that they were given."""

from typing import Any

import httpx
import pytest

from tests.service.auth.running import Auth, oauth_error, problem

REPORTS = {"name": "Reports", "grant_types": ["client_credentials"], "scope": "jobs:read"}
APP = {
    "name": "App",
    "auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "redirect_uris": ["https://app.example/callback", "http://127.0.0.1:3000/callback"],
    "scope": "jobs:read jobs:write",
}
TOKEN = {"grant_type": "client_credentials"}


@pytest.fixture
async def admin(auth: Auth) -> str:
    return str((await auth.login("admin", "admin-demo-only"))["token"])


async def _create(auth: Auth, admin: str, **members: object) -> dict[str, Any]:
    response = await auth.post("/api/clients", admin, REPORTS | members)
    assert response.status_code == 201, response.text
    client: dict[str, Any] = response.json()
    return client


async def _token(auth: Auth, client: dict[str, Any], secret: str | None = None) -> httpx.Response:
    credentials = client["client_id"], secret or client["client_secret"]
    return await auth.http.post("/oauth2/token", data=TOKEN, auth=credentials)


async def test_a_registered_client_gets_tokens_by_the_secret_that_is_shown_once(auth: Auth, admin: str) -> None:
    response = await auth.post("/api/clients", admin, REPORTS)
    client = response.json()
    assert response.headers["cache-control"] == "no-store"
    assert client["client_secret"].startswith("mfs_")
    assert (await _token(auth, client)).json()["scope"] == "jobs:read"
    shown = await auth.get(response.headers["location"], admin)
    assert shown.json() == {name: value for name, value in client.items() if name != "client_secret"}


async def test_only_a_hash_of_the_secret_is_stored(auth: Auth, admin: str) -> None:
    client = await _create(auth, admin)
    rows = await auth.resources.backends.dynamodb.scan(TableName=f"{auth.resources.settings.table_prefix}clients")
    assert client["client_id"] in str(rows)
    assert client["client_secret"][4:] not in str(rows)


async def test_a_public_client_has_no_secret(auth: Auth, admin: str) -> None:
    client = (await auth.post("/api/clients", admin, APP)).json()
    assert (client["client_secret"], client["secrets"]) == (None, [])
    assert client["redirect_uris"] == APP["redirect_uris"]
    refused = await auth.post(f"/api/clients/{client['client_id']}/secrets", admin)
    assert (refused.status_code, problem(refused)) == (409, "client-is-public")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"auth_method": "none"}, "/grant_types"),
        ({"grant_types": ["authorization_code"]}, "/redirect_uris"),
        ({"redirect_uris": ["https://app.example/"]}, "/redirect_uris"),
        ({"redirect_uris": ["https://app.example/#x"]}, "/redirect_uris/0"),
        ({"redirect_uris": ["https://a.example/", "https://a.example/"]}, "/redirect_uris"),
        ({"grant_types": ["password"]}, "/grant_types/0"),
        ({"grant_types": []}, "/grant_types"),
        ({"grant_types": "client_credentials"}, "/grant_types"),
        ({"scope": "jobs:read everything"}, "/scope"),
        ({"scope": " jobs:read"}, "/scope"),
        ({"scope": ["jobs:read"]}, "/scope"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "a\0b"}, "/name"),
        ({"name": 7}, "/name"),
        ({"audiences": ["billing"]}, "/audiences"),
        ({"may_introspect": "yes"}, "/may_introspect"),
        ({"client_id": "mine"}, "/client_id"),
        ({"client_secret": "mine"}, "/client_secret"),
        ({"auth_method": "private_key_jwt"}, "/auth_method"),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_name(
    auth: Auth, admin: str, change: dict[str, object], pointer: str
) -> None:
    response = await auth.post("/api/clients", admin, REPORTS | change)
    assert (response.status_code, problem(response)) == (422, "validation-failed")
    assert pointer in [error["pointer"] for error in response.json()["errors"]]


async def test_a_changed_client_gets_no_more_than_it_is_registered_for_now(auth: Auth, admin: str) -> None:
    client = await _create(auth, admin, scope="jobs:read jobs:write")
    path = f"/api/clients/{client['client_id']}"
    changed = await auth.patch(path, admin, {"scope": "jobs:read", "name": "Less"})
    assert (changed.json()["scope"], changed.json()["name"]) == ("jobs:read", "Less")
    assert changed.json()["grant_types"] == ["client_credentials"]
    assert (await _token(auth, client)).json()["scope"] == "jobs:read"
    await auth.patch(path, admin, {"grant_types": ["refresh_token"]})


@pytest.mark.parametrize(
    ("change", "pointer"), [({"auth_method": "none"}, "/auth_method"), ({"redirect_uris": ["https://x.example"]}, "")]
)
async def test_a_change_that_does_not_go_together_changes_nothing(
    auth: Auth, admin: str, change: dict[str, object], pointer: str
) -> None:
    client = await _create(auth, admin)
    path = f"/api/clients/{client['client_id']}"
    response = await auth.patch(path, admin, change)
    assert (response.status_code, problem(response)) == (422, "validation-failed")
    assert response.json()["errors"][0]["pointer"].startswith(pointer)
    assert (await auth.get(path, admin)).json()["redirect_uris"] == []


async def test_a_new_secret_overlaps_with_the_old_one(auth: Auth, admin: str) -> None:
    client = await _create(auth, admin)
    added = await auth.post(f"/api/clients/{client['client_id']}/secrets", admin)
    assert added.status_code == 201
    assert added.headers["cache-control"] == "no-store"
    for secret in (client["client_secret"], added.json()["client_secret"]):
        assert (await _token(auth, client, secret)).status_code == 200
    secrets = (await auth.get(f"/api/clients/{client['client_id']}", admin)).json()["secrets"]
    assert [secret["expires_at"] is None for secret in secrets] == [False, True]


async def test_without_an_overlap_the_old_secret_ends_at_once(auth: Auth, admin: str) -> None:
    client = await _create(auth, admin)
    added = await auth.post(f"/api/clients/{client['client_id']}/secrets", admin, {"overlap_seconds": 0})
    assert oauth_error(await _token(auth, client)) == "invalid_client"
    assert (await _token(auth, client, added.json()["client_secret"])).status_code == 200


async def test_a_deleted_secret_ends(auth: Auth, admin: str) -> None:
    client = await _create(auth, admin)
    path = f"/api/clients/{client['client_id']}/secrets"
    assert (await auth.delete(f"{path}/{client['secrets'][0]['secret_id']}", admin)).status_code == 204
    assert oauth_error(await _token(auth, client)) == "invalid_client"
    again = await auth.delete(f"{path}/{client['secrets'][0]['secret_id']}", admin)
    assert (again.status_code, problem(again)) == (404, "client-secret-not-found")


async def test_no_more_than_five_secrets_are_good_at_once(auth: Auth, admin: str) -> None:
    client = await _create(auth, admin)
    path = f"/api/clients/{client['client_id']}/secrets"
    answers = [await auth.post(path, admin) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 201, 409]
    assert problem(answers[-1]) == "too-many-client-secrets"
    assert (await auth.post(path, admin, {"overlap_seconds": 0})).status_code == 201


async def test_a_deleted_client_is_gone_with_its_tokens(auth: Auth, other_auth: Auth, admin: str) -> None:
    client = await _create(auth, admin)
    early = (await _token(other_auth, client)).json()["access_token"]
    path = f"/api/clients/{client['client_id']}"
    deleted = await auth.delete(path, admin)
    assert deleted.status_code == 204
    assert deleted.headers["revocation-receipt"]
    assert not await auth.accepts(early)
    for answer in (await auth.get(path, admin), await auth.delete(path, admin)):
        assert (answer.status_code, problem(answer)) == (404, "client-not-found")
    assert oauth_error(await _token(auth, client)) == "invalid_client"
    late = await _token(other_auth, client)  # which remembers the client for some seconds
    assert late.status_code == 401 or not await auth.accepts(late.json()["access_token"])


async def test_the_list_shows_each_client_once_page_by_page(auth: Auth, admin: str) -> None:
    made = {(await _create(auth, admin, name=f"Client {number}"))["client_id"] for number in range(5)}
    found: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = (await auth.http.get("/api/clients", params=query, headers={"authorization": f"Bearer {admin}"})).json()
        assert len(page["clients"]) <= 2
        assert "client_secret" not in str(page).replace("client_secret_", "")
        found += [client["client_id"] for client in page["clients"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert sorted(found) == sorted({*made, "demo-service", "mayfly-docs"})


@pytest.mark.parametrize("query", ["cursor=%00", "cursor=x", "cursor=IA", "limit=0", "limit=101", "limit=x"])
async def test_a_list_that_can_not_be_is_refused(auth: Auth, admin: str, query: str) -> None:
    response = await auth.get(f"/api/clients?{query}", admin)
    assert (response.status_code, problem(response)) == (422, "validation-failed")


@pytest.mark.parametrize("client_id", ["nobody", "x" * 200, "%00", "%2e", "%F0%9F%92%A5", "mayfly-login"])
async def test_a_client_that_there_is_not_is_not_found(auth: Auth, admin: str, client_id: str) -> None:
    for answer in (
        await auth.get(f"/api/clients/{client_id}", admin),
        await auth.patch(f"/api/clients/{client_id}", admin, {"name": "x"}),
        await auth.delete(f"/api/clients/{client_id}", admin),
        await auth.post(f"/api/clients/{client_id}/secrets", admin),
        await auth.delete(f"/api/clients/{client_id}/secrets/sec_x", admin),
    ):
        assert (answer.status_code, problem(answer)) == (404, "client-not-found")


async def test_only_administrators_see_or_touch_clients(auth: Auth) -> None:
    token = (await auth.login())["token"]
    client = "/api/clients/demo-service"
    for answer in (
        await auth.get("/api/clients", token),
        await auth.post("/api/clients", token, REPORTS),
        await auth.get(client, token),
        await auth.patch(client, token, {"scope": "admin"}),
        await auth.delete(client, token),
        await auth.post(f"{client}/secrets", token),
        await auth.delete(f"{client}/secrets/demo", token),
    ):
        assert (answer.status_code, problem(answer)) == (403, "insufficient-scope")
    assert (await auth.client_token()).status_code == 200
