"""What administrators do with users, and what users do with themselves."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, bearer, problem, running

ADA = {"username": "Ada", "password": "a lamp on the stairs"}
ALICE, ADMIN = ("alice", "wonderland-demo"), ("admin", "admin-demo-only")
NOBODY = "user_aaaaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.fixture
async def admin(auth: Auth) -> str:
    token: str = (await auth.login(*ADMIN))["token"]
    return token


async def _make(auth: Auth, admin: str, **fields: object) -> dict[str, Any]:
    response = await auth.post("/api/users", admin, ADA | fields)
    assert response.status_code == 201, response.text
    user: dict[str, Any] = response.json()
    return user


async def _patch(auth: Auth, token: str, user_id: str, **change: object) -> httpx.Response:
    return await auth.http.patch(f"/api/users/{user_id}", headers=bearer(token), json=change)


async def test_a_new_user_is_answered_without_the_password_and_can_log_in(auth: Auth, admin: str) -> None:
    response = await auth.post("/api/users", admin, ADA | {"permissions": ["read"], "display_name": "Ada L."})
    user = response.json()
    assert (response.status_code, response.headers["location"]) == (201, f"/api/users/{user['user_id']}")
    assert user["user_id"].startswith("user_")
    assert user | {"user_id": "", "created_at": "", "changed_at": ""} == {
        "user_id": "", "username": "ada", "display_name": "Ada L.", "roles": ["user"], "permissions": ["read"],
        "scope": "jobs:read", "disabled": False, "created_at": "", "changed_at": "",
    }  # fmt: skip
    tokens = await auth.login("ADA", ADA["password"])
    assert (await auth.get("/api/me", tokens["token"])).json()["user_id"] == user["user_id"]
    assert (await auth.get(f"/api/users/{user['user_id']}", admin)).json() == user


@pytest.mark.parametrize("username", ["ada", "ADA", "\uff21da"])
async def test_a_name_is_taken_in_any_spelling(auth: Auth, admin: str, username: str) -> None:
    await _make(auth, admin)
    response = await auth.post("/api/users", admin, ADA | {"username": username})
    assert (response.status_code, problem(response)) == (409, "username-taken")


async def test_of_many_who_take_a_name_at_once_one_gets_it(auth: Auth, admin: str) -> None:
    responses = await asyncio.gather(*(auth.post("/api/users", admin, ADA) for _ in range(6)))
    assert sorted(response.status_code for response in responses) == [201, 409, 409, 409, 409, 409]


async def test_users_are_listed_page_by_page_and_found_by_name(auth: Auth, admin: str) -> None:
    for name in ("one", "two", "three"):
        await _make(auth, admin, username=name)
    found, cursor = [], ""
    while cursor is not None:
        page = (await auth.get(f"/api/users?limit=2{cursor and f'&cursor={cursor}'}", admin)).json()
        found += [user["username"] for user in page["users"]]
        cursor = page["next_cursor"]
    assert sorted(found) == ["admin", "alice", "one", "testuser", "three", "two"]
    by_name = (await auth.get("/api/users?username=TWO", admin)).json()
    assert [user["username"] for user in by_name["users"]] == ["two"]
    for nobody in ("nobody", "ﷺ" * 128, "%00", "%20"):
        answer = await auth.get(f"/api/users?username={nobody}", admin)
        assert answer.json() == {"users": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"password": "short"}, "/password"),
        ({"password": "x" * 129}, "/password"),
        ({"password": "ﷺ" * 128}, "/password"),
        ({"password": "password"}, "/password"),
        ({"password": "P@ssw0rd123!"}, "/password"),
        ({"password": "ada ada ada 1"}, "/password"),
        ({"password": "12345678"}, "/password"),
        ({"password": 12345678}, "/password"),
        ({"username": ""}, "/username"),
        ({"username": " ada"}, "/username"),
        ({"username": "a\x01da"}, "/username"),
        ({"username": "ﷺ" * 128}, "/username"),
        ({"roles": ["root"]}, "/roles/0"),
        ({"roles": ["user", "user"]}, "/roles"),
        ({"roles": "admin"}, "/roles"),
        ({"permissions": ["admin"]}, "/permissions/0"),
        ({"display_name": "a\nb"}, "/display_name"),
        ({"user_id": "user_mine"}, "/user_id"),
        ({"password_hash": "x"}, "/password_hash"),
        ({"disabled": False}, "/disabled"),
    ],
)
async def test_what_can_not_be_is_named(auth: Auth, admin: str, change: dict[str, object], pointer: str) -> None:
    response = await auth.post("/api/users", admin, ADA | change)
    assert (response.status_code, problem(response)) == (422, "validation-failed")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert (await auth.get("/api/users?username=ada", admin)).json()["users"] == []


async def test_an_unknown_member_is_named_with_the_nearest_known_one(auth: Auth, admin: str) -> None:
    response = await auth.post("/api/users", admin, ADA | {"permission": ["read"], "is_admin": True})
    errors = {error["pointer"]: error["detail"] for error in response.json()["errors"]}
    assert errors["/permission"] == 'is not known here; did you mean "permissions"?'
    assert errors["/is_admin"].startswith("is not known here; ")


async def test_a_change_leaves_what_it_does_not_name(auth: Auth, admin: str) -> None:
    user = await _make(auth, admin, permissions=["read"], display_name="Ada")
    changed = (await _patch(auth, admin, user["user_id"], display_name=None)).json()
    assert changed == user | {"display_name": None, "changed_at": changed["changed_at"]}
    await auth.login(*ADA.values())


async def test_more_rights_end_nothing_and_come_with_the_next_login(auth: Auth, admin: str) -> None:
    user = await _make(auth, admin, permissions=["read"])
    tokens = await auth.login(*ADA.values())
    assert (await _patch(auth, admin, user["user_id"], permissions=["read", "write"])).status_code == 200
    assert await auth.accepts(tokens["token"])
    assert (await auth.refresh(tokens["refresh_token"])).json()["scope"] == "jobs:read"
    assert (await auth.get("/api/me", (await auth.login(*ADA.values()))["token"])).json()[
        "scope"
    ] == "jobs:read jobs:write"


@pytest.mark.parametrize(
    "change",
    [
        {"permissions": ["read"]},
        {"permissions": []},
        {"roles": []},
        {"roles": ["admin"]},
        {"disabled": True},
        {"password": "another lamp, elsewhere"},
        {"permissions": ["read", "write"]},
    ],
)
async def test_less_rights_another_password_and_the_end_end_all_that_is_out(
    auth: Auth, admin: str, other_auth: Auth, change: dict[str, object]
) -> None:
    """The last one changes nothing, and ends all the same: it may repeat one that was answered 503."""
    user = await _make(auth, admin, permissions=["read", "write"])
    tokens = [await each.login(*ADA.values()) for each in (auth, other_auth)]
    response = await _patch(auth, admin, user["user_id"], **change)
    assert response.status_code == 200, response.text
    for each in tokens:
        assert not await auth.accepts(each["token"])
        assert (await other_auth.refresh(each["refresh_token"])).status_code == 400


async def test_a_disabled_user_can_not_log_in_until_enabled(auth: Auth, admin: str) -> None:
    user = await _make(auth, admin)
    await _patch(auth, admin, user["user_id"], disabled=True)
    assert problem(await auth.try_login(*ADA.values())) == "invalid-credentials"
    await _patch(auth, admin, user["user_id"], disabled=False)
    await auth.login(*ADA.values())


async def test_a_reset_takes_the_new_password_alone(auth: Auth, admin: str) -> None:
    user = await _make(auth, admin)
    await _patch(auth, admin, user["user_id"], password="another lamp, elsewhere")
    assert (await auth.try_login(*ADA.values())).status_code == 401
    tokens = await auth.login("ada", "another lamp, elsewhere")
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_deleted_user_is_gone_with_all_that_was_out(auth: Auth, admin: str) -> None:
    user = await _make(auth, admin)
    tokens = await auth.login(*ADA.values())
    response = await auth.delete(f"/api/users/{user['user_id']}", admin)
    assert response.status_code == 204
    assert response.headers["revocation-receipt"]
    assert not await auth.accepts(tokens["token"])
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 400
    assert problem(await auth.try_login(*ADA.values())) == "invalid-credentials"
    for answer in (
        await auth.get(f"/api/users/{user['user_id']}", admin),
        await auth.delete(f"/api/users/{user['user_id']}", admin),
    ):
        assert (answer.status_code, problem(answer)) == (404, "user-not-found")


async def test_a_session_of_a_deleted_user_is_not_one_of_who_takes_the_name(auth: Auth, admin: str) -> None:
    user = await _make(auth, admin)
    tokens = await auth.login(*ADA.values())
    await auth.delete(f"/api/users/{user['user_id']}", admin)
    again = await _make(auth, admin)
    assert again["user_id"] != user["user_id"]
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 400
    assert problem(await auth.get(f"/api/users/{user['user_id']}", admin)) == "user-not-found"
    await auth.login(*ADA.values())


async def test_revoking_a_user_ends_all_and_leaves_a_receipt(auth: Auth, admin: str) -> None:
    user = await _make(auth, admin)
    tokens = await auth.login(*ADA.values())
    response = await auth.post(f"/api/users/{user['user_id']}/revoke", admin)
    assert (response.status_code, response.json()["kind"], response.json()["value"]) == (200, "user", user["user_id"])
    assert response.json()["receipt"]
    assert not await auth.accepts(tokens["token"])
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 400
    assert await auth.accepts((await auth.login(*ADA.values()))["token"])


async def test_users_see_themselves_and_change_their_display_name(auth: Auth, admin: str) -> None:
    user = await _make(auth, admin)
    token = (await auth.login(*ADA.values()))["token"]
    assert (await auth.get(f"/api/users/{user['user_id']}", token)).json() == user
    changed = await _patch(auth, token, user["user_id"], display_name="Countess")
    assert (changed.status_code, changed.json()["display_name"]) == (200, "Countess")
    assert await auth.accepts(token)


@pytest.mark.parametrize(
    "change",
    [
        {"roles": ["admin"]},
        {"permissions": ["read", "write"]},
        {"disabled": True},
        {"disabled": False},
        {"password": "another lamp, elsewhere"},
        {"display_name": "x", "roles": ["user", "admin"]},
    ],
)
async def test_users_change_nothing_about_themselves_that_is_an_administrators(
    auth: Auth, admin: str, change: dict[str, object]
) -> None:
    user = await _make(auth, admin)
    token = (await auth.login(*ADA.values()))["token"]
    response = await _patch(auth, token, user["user_id"], **change)
    assert (response.status_code, problem(response)) == (403, "insufficient-scope")
    assert response.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="admin"'
    assert (await auth.get(f"/api/users/{user['user_id']}", admin)).json() == user


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/api/users", None, "insufficient-scope"),
        ("GET", "/api/users?username={}", None, "insufficient-scope"),
        ("POST", "/api/users", ADA, "insufficient-scope"),
        ("GET", "/api/users/{}", None, "user-not-found"),
        ("PATCH", "/api/users/{}", {"display_name": "x"}, "user-not-found"),
        ("PATCH", "/api/users/{}", {"roles": ["admin"]}, "user-not-found"),
        ("DELETE", "/api/users/{}", None, "insufficient-scope"),
        ("POST", "/api/users/{}/revoke", None, "insufficient-scope"),
    ],
)
async def test_whoever_is_no_admin_is_refused_alike_whether_there_is_such_a_user_or_not(
    auth: Auth, method: str, path: str, body: object, code: str
) -> None:
    for token in ((await auth.login())["token"], (await auth.client_token()).json()["access_token"]):
        answers = [
            await auth.http.request(method, path.format(user_id), headers=bearer(token), json=body)
            for user_id in ("user_alice", NOBODY)
        ]
        assert [problem(answer) for answer in answers] == [code] * 2
        assert answers[0].json() | {"trace_id": ""} == answers[1].json() | {"trace_id": ""}


async def test_users_do_not_delete_or_revoke_themselves_here(auth: Auth) -> None:
    token = (await auth.login())["token"]
    for answer in (
        await auth.delete("/api/users/user_testuser", token),
        await auth.post("/api/users/user_testuser/revoke", token),
    ):
        assert (answer.status_code, problem(answer)) == (403, "insufficient-scope")


@pytest.mark.parametrize("change", [{"disabled": True}, {"roles": ["user"]}, {"roles": []}])
async def test_the_last_admin_stays_one(auth: Auth, admin: str, change: dict[str, object]) -> None:
    response = await _patch(auth, admin, "user_admin", **change)
    assert (response.status_code, problem(response)) == (409, "last-admin")
    assert problem(await auth.delete("/api/users/user_admin", admin)) == "last-admin"
    assert await auth.accepts(admin)
    await auth.login(*ADMIN)


async def test_of_two_admins_who_go_at_once_one_stays(auth: Auth, admin: str) -> None:
    second = await _make(auth, admin, roles=["admin"])
    for _ in range(3):
        own, seconds = [(await auth.login(*who))["token"] for who in (ADMIN, tuple(ADA.values()))]
        answers = await asyncio.gather(
            _patch(auth, own, "user_admin", roles=["user"]), _patch(auth, seconds, second["user_id"], roles=["user"])
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        users = (await auth.get("/api/users", await _any_admin(auth))).json()["users"]
        assert len([user for user in users if "admin" in user["roles"]]) == 1
        admin = await _any_admin(auth)
        for user_id in ("user_admin", second["user_id"]):
            await _patch(auth, admin, user_id, roles=["user", "admin"])
        await asyncio.sleep(1)  # a user's revocations of one second are as many as logins can still tell apart


async def _any_admin(auth: Auth) -> str:
    """A token of whoever administers now."""
    for name, password in (ADMIN, tuple(ADA.values())):
        tokens = await auth.login(name, password)
        if "admin" in (await auth.get("/api/me", tokens["token"])).json()["roles"]:
            return str(tokens["token"])
    raise AssertionError("nobody administers")


async def test_a_second_admin_lets_the_first_go(auth: Auth, admin: str) -> None:
    second = await _make(auth, admin, roles=["admin"])
    assert (await _patch(auth, admin, "user_admin", disabled=True)).status_code == 200
    assert not await auth.accepts(admin)
    other = (await auth.login(*ADA.values()))["token"]
    assert problem(await auth.delete(f"/api/users/{second['user_id']}", other)) == "last-admin"
    assert (await auth.delete("/api/users/user_admin", other)).status_code == 204


async def test_changes_that_come_at_once_are_all_made(auth: Auth, admin: str) -> None:
    user = await _make(auth, admin)
    changes = ({"display_name": "x"}, {"permissions": ["read"]})
    answers = await asyncio.gather(*(_patch(auth, admin, user["user_id"], **change) for change in changes))
    assert {answer.status_code for answer in answers} == {200}
    now = (await auth.get(f"/api/users/{user['user_id']}", admin)).json()
    assert (now["display_name"], now["permissions"]) == ("x", ["read"])


@pytest.mark.parametrize(
    "user_id", ["..%2Fx", "user_" + "x" * 300, "user_%00", "user_%20", "ses_a", "user_", "%F0%9F%98%80"]
)
async def test_an_id_that_is_none_is_not_found(auth: Auth, admin: str, user_id: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answer = await auth.http.request(method, f"/api/users/{user_id}", headers=bearer(admin), json={})
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "query", ["username=", "limit=0", "limit=101", "limit=x", "cursor=", "cursor=%%", "cursor=" + "x" * 3000]
)
async def test_a_page_that_can_not_be_is_refused(auth: Auth, admin: str, query: str) -> None:
    response = await auth.get(f"/api/users?{query}", admin)
    assert (response.status_code, problem(response)) == (422, "validation-failed")


async def test_users_who_are_made_by_one_instance_log_in_at_another(
    make_settings: MakeSettings, auth: Auth, admin: str
) -> None:
    await _make(auth, admin)
    async with running(make_settings()) as other:
        await other.login(*ADA.values())
