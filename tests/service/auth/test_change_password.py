"""A user changes the own password: the others' sessions end, this one goes on."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from services.auth.stores.users import Users
from shared import clock
from shared.clients.aws import open_dynamodb
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, problem, running

OLD, NEW = "testpass", "a lamp on the stairs"


async def _change(auth: Auth, token: str, present: str = OLD, new: str = NEW) -> httpx.Response:
    return await auth.post("/api/me/password", token, {"current_password": present, "new_password": new})


async def test_the_new_password_is_taken_and_the_old_is_not(auth: Auth) -> None:
    tokens = await auth.login()
    assert (await _change(auth, tokens["token"])).status_code == 204
    assert problem(await auth.try_login("testuser", OLD)) == "invalid-credentials"
    again = await auth.login("testuser", NEW)
    assert await auth.accepts(again["token"])
    assert (await auth.refresh(again["refresh_token"])).status_code == 200


async def test_this_session_goes_on_and_all_others_end(auth: Auth, other_auth: Auth) -> None:
    mine, *others = [await each.login() for each in (auth, auth, other_auth, other_auth)]
    theirs = await auth.login("alice", "wonderland-demo")
    assert (await _change(auth, mine["token"])).status_code == 204
    for tokens in others:
        assert not await auth.accepts(tokens["token"])
        assert (await other_auth.refresh(tokens["refresh_token"])).status_code == 400
    assert await auth.accepts(mine["token"])
    refreshed = await auth.refresh(mine["refresh_token"])
    assert refreshed.status_code == 200
    assert await auth.accepts(refreshed.json()["access_token"])
    assert await auth.accepts(theirs["token"])


async def test_a_session_that_the_list_misses_can_not_be_refreshed(auth: Auth) -> None:
    """A new session may not be in the index yet."""
    mine, hidden = await auth.login(), await auth.login()
    sessions = auth.resources.parts.sessions
    session = await sessions.get(hidden["session_id"])
    assert session is not None
    await sessions.end_revoked(session, 1.0)  # out of the index …
    assert (await _change(auth, mine["token"])).status_code == 204
    await sessions.save(session)  # … and in the table
    assert (await auth.refresh(hidden["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_login_with_the_old_password_during_the_write_is_ended(auth: Auth, make_settings: MakeSettings) -> None:
    """Whoever read the row before the write has a session of a second that is not after it."""
    users = auth.resources.parts.users
    user = await users.get("testuser")
    assert user is not None
    changed = await users.change(user, user.with_password(user.password_hash, clock.now(), kept_session=None))
    assert changed is not None
    tokens = await auth.login()
    await users.end_sessions(changed, clock.now() + 1)
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 400


async def test_a_wrong_present_password_is_refused_and_counted_like_a_login(auth: Auth) -> None:
    token = (await auth.login())["token"]
    for _ in range(5):
        response = await _change(auth, token, present="not-this-one")
        assert (response.status_code, problem(response)) == (403, "wrong-password")
    for refused in (await _change(auth, token), await auth.try_login("testuser", OLD)):
        assert (refused.status_code, problem(refused)) == (429, "too-many-attempts")
        assert refused.headers["retry-after"] == "1"
    assert await auth.accepts(token)


@pytest.mark.parametrize("new", ["short", "password1", "testuser!!", "x" * 129, OLD])
async def test_a_password_that_may_not_be_chosen_is_refused(auth: Auth, new: str) -> None:
    response = await _change(auth, (await auth.login())["token"], new=new)
    assert (response.status_code, problem(response)) == (422, "validation-failed")
    assert [error["pointer"] for error in response.json()["errors"]] == ["/new_password"]
    await auth.login()


async def test_the_same_password_in_another_writing_is_the_same(auth: Auth) -> None:
    response = await _change(auth, (await auth.login())["token"], new="\uff54estpass")
    assert response.json()["errors"] == [
        {"pointer": "/new_password", "detail": "is the present password; choose another"}
    ]


async def test_a_client_has_no_password(auth: Auth) -> None:
    token = (await auth.client_token()).json()["access_token"]
    response = await _change(auth, token)
    assert (response.status_code, problem(response)) == (403, "login-needed")


async def test_of_several_changes_at_once_one_is_made(auth: Auth) -> None:
    token = (await auth.login())["token"]
    news = [f"a lamp on the stairs, {number}" for number in range(3)]
    answers = await asyncio.gather(*(_change(auth, token, new=new) for new in news))
    codes = [answer.status_code for answer in answers]
    assert codes.count(204) == 1
    assert set(codes) <= {204, 403, 409}
    await auth.login("testuser", news[codes.index(204)])


async def test_a_better_hash_of_the_old_password_does_not_come_back(make_settings: MakeSettings) -> None:
    """A login that renews the hash may have read the row before the password was changed."""
    settings = make_settings()
    async with open_dynamodb(settings) as dynamodb:
        users = Users(dynamodb, settings.table_prefix)
        known = await users.get("testuser")
        assert known is not None
        changed = await users.change(known, known.with_password("new", clock.now(), kept_session=None))
        await users.replace_hash(known, "a better hash of the old one")
        assert await users.get("testuser") == changed


async def test_a_change_of_something_else_leaves_a_renewed_hash(make_settings: MakeSettings) -> None:
    settings = make_settings()
    async with open_dynamodb(settings) as dynamodb:
        users = Users(dynamodb, settings.table_prefix)
        known = await users.get("testuser")
        assert known is not None
        await users.replace_hash(known, "better")
        assert await users.change(known, replace(known, display_name="x")) is not None
        now = await users.get("testuser")
        assert now is not None
        assert (now.password_hash, now.display_name) == ("better", "x")


async def test_a_change_waits_for_a_free_thread_or_is_refused(make_settings: MakeSettings) -> None:
    async with running(make_settings(password_threads=1, password_queue=0)) as busy:
        tokens = [await busy.login(), await busy.login("alice", "wonderland-demo")]
        presents = (OLD, "wonderland-demo")
        pairs = zip(tokens, presents, strict=True)
        answers = await asyncio.gather(*(_change(busy, each["token"], present=present) for each, present in pairs))
        assert max(answer.status_code for answer in answers) == 429
        assert {problem(answer) for answer in answers if answer.status_code == 429} == {"too-many-logins"}
