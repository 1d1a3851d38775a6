import asyncio
import re

from shared.tokens.revocation_feed import StreamId
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, problem, running
from tests.support.waiting import eventually

NEVER = "ses_aaaaaaaaaaaaaaaaaaaaaaaaaa"


async def test_me_says_what_the_token_says(auth: Auth) -> None:
    tokens = await auth.login()
    body = (await auth.get("/api/me", tokens["token"])).json()
    expires_at = body.pop("expires_at")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", expires_at)
    assert body == {
        "user_id": "user_testuser",
        "username": "testuser",
        "client_id": "mayfly-login",
        "roles": ["user"],
        "permissions": ["read", "write"],
        "scope": "jobs:read jobs:write",
        "session_id": tokens["session_id"],
    }


async def test_a_route_without_a_token_is_answered_with_a_challenge(auth: Auth) -> None:
    for method, path in [("GET", "/api/me"), ("GET", "/api/sessions"), ("POST", "/api/logout")]:
        response = await auth.http.request(method, path)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


async def test_the_list_shows_my_sessions_the_newest_first(auth: Auth) -> None:
    tokens = [await auth.login() for _ in range(3)]
    await auth.login("alice", "wonderland-demo")
    sessions = (await auth.get("/api/sessions", tokens[0]["token"])).json()["sessions"]
    assert [session["session_id"] for session in sessions] == [token["session_id"] for token in reversed(tokens)]
    assert [session["current"] for session in sessions] == [False, False, True]
    assert sessions[0]["address"] == "192.0.2.7"
    assert sessions[0]["user_agent"].startswith("python-httpx")


async def test_nothing_secret_is_in_the_list(auth: Auth) -> None:
    tokens = await auth.login()
    body = (await auth.get("/api/sessions", tokens["token"])).text
    assert tokens["refresh_token"].split(".")[1] not in body
    assert "hash" not in body
    assert "key" not in body


async def test_a_logout_ends_both_tokens(auth: Auth) -> None:
    tokens = await auth.login()
    assert (await auth.post("/api/logout", tokens["token"])).status_code == 204
    assert not await auth.accepts(tokens["token"])
    assert (await auth.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    remaining = (await auth.get("/api/sessions", (await auth.login())["token"])).json()["sessions"]
    assert tokens["session_id"] not in [session["session_id"] for session in remaining]


async def test_a_logout_reaches_another_instance_within_the_bound(auth: Auth, other_auth: Auth) -> None:
    token = (await auth.login())["token"]
    assert await other_auth.accepts(token)
    await auth.post("/api/logout", token)

    async def refused() -> bool:
        return not await other_auth.accepts(token)

    await eventually(refused, timeout_seconds=2)


async def test_a_logout_leaves_other_sessions_alone(auth: Auth) -> None:
    one, other = await auth.login(), await auth.login()
    await auth.post("/api/logout", one["token"])
    assert await auth.accepts(other["token"])
    assert (await auth.refresh(other["refresh_token"])).status_code == 200


async def test_a_clients_own_token_is_revoked_by_its_logout(auth: Auth) -> None:
    token, other = [(await auth.client_token()).json()["access_token"] for _ in range(2)]
    assert (await auth.post("/api/logout", token)).status_code == 204
    assert not await auth.accepts(token)
    assert await auth.accepts(other)


async def test_i_can_end_another_session_of_mine(auth: Auth) -> None:
    mine, lost = await auth.login(), await auth.login()
    response = await auth.delete(f"/api/sessions/{lost['session_id']}", mine["token"])
    assert response.status_code == 204
    assert not await auth.accepts(lost["token"])
    assert (await auth.refresh(lost["refresh_token"])).status_code == 400
    assert await auth.accepts(mine["token"])


async def test_ending_a_session_again_is_no_error(auth: Auth) -> None:
    mine, lost = await auth.login(), await auth.login()
    for _ in range(2):
        assert (await auth.delete(f"/api/sessions/{lost['session_id']}", mine["token"])).status_code == 204


async def test_ending_a_session_many_times_at_once_is_no_error(auth: Auth) -> None:
    mine, lost = await auth.login(), await auth.login()
    path = f"/api/sessions/{lost['session_id']}"
    responses = await asyncio.gather(*(auth.delete(path, mine["token"]) for _ in range(10)))
    assert {response.status_code for response in responses} == {204}
    assert not await auth.accepts(lost["token"])


async def test_another_users_session_is_answered_like_none(auth: Auth) -> None:
    mine, theirs = await auth.login(), await auth.login("alice", "wonderland-demo")
    answers = [await auth.delete(f"/api/sessions/{of}", mine["token"]) for of in (theirs["session_id"], NEVER)]
    assert [problem(answer) for answer in answers] == ["session-not-found"] * 2
    assert [answer.status_code for answer in answers] == [404, 404]
    assert await auth.accepts(theirs["token"])
    assert (await auth.refresh(theirs["refresh_token"])).status_code == 200


async def test_a_clients_token_ends_no_users_session(auth: Auth) -> None:
    theirs, token = await auth.login(), (await auth.client_token()).json()["access_token"]
    assert (await auth.delete(f"/api/sessions/{theirs['session_id']}", token)).status_code == 403


async def test_ending_all_ends_all_of_mine_and_none_of_others(auth: Auth, other_auth: Auth) -> None:
    mine = [await auth.login() for _ in range(4)]
    theirs = await auth.login("alice", "wonderland-demo")
    assert (await other_auth.delete("/api/sessions", mine[0]["token"])).status_code == 204
    for tokens in mine:
        assert not await other_auth.accepts(tokens["token"])
        assert (await auth.refresh(tokens["refresh_token"])).status_code == 400
    assert await auth.accepts(theirs["token"])
    assert (await auth.refresh(theirs["refresh_token"])).status_code == 200


async def test_a_login_right_after_ending_all_works(auth: Auth) -> None:
    for _ in range(2):
        await auth.delete("/api/sessions", (await auth.login())["token"])
        tokens = await auth.login()
        assert await auth.accepts(tokens["token"])
        refreshed = await auth.refresh(tokens["refresh_token"])
        assert refreshed.status_code == 200
        assert await auth.accepts(refreshed.json()["access_token"])
        sessions = (await auth.get("/api/sessions", tokens["token"])).json()["sessions"]
        assert [session["session_id"] for session in sessions] == [tokens["session_id"]]


async def test_a_session_that_the_list_misses_is_ended_with_all_others(auth: Auth, make_settings: MakeSettings) -> None:
    """A new session may not be in the index yet: the revocation of the user ends it all the same."""
    hidden = await auth.login()
    session = await auth.resources.sessions.login.sessions.get(hidden["session_id"])
    assert session is not None
    await auth.resources.sessions.login.sessions.end_revoked(session, 1.0)  # out of the index …
    await auth.delete("/api/sessions", (await auth.login())["token"])
    await auth.resources.sessions.login.sessions.save(session)  # … and in the table
    assert not await auth.accepts(hidden["token"])
    assert (await auth.refresh(hidden["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_session_ends_by_itself(make_settings: MakeSettings) -> None:
    async with running(make_settings(session_ttl_seconds=60)) as auth:
        tokens = await auth.login()
        sessions = auth.resources.sessions.login.sessions
        session = await sessions.get(tokens["session_id"])
        assert session is not None
        assert session.expires_at - session.created_at_ms // 1000 == 60
        assert await sessions.of_user("user_testuser", session.expires_at - 1)
        assert not await sessions.of_user("user_testuser", session.expires_at)


async def test_a_user_agent_is_cut_and_cleaned(auth: Auth) -> None:
    headers = {"user-agent": "x\x1b[31m" + "y" * 5000}
    login = {"username": "testuser", "password": "testpass"}
    token = (await auth.http.post("/api/login", json=login, headers=headers)).json()["token"]
    session = (await auth.get("/api/sessions", token)).json()["sessions"][0]
    assert session["user_agent"] == ("x[31m" + "y" * 5000)[:200]


async def test_each_way_to_end_something_answers_with_a_receipt(auth: Auth, other_auth: Auth) -> None:
    one, two, three, four = [await auth.login() for _ in range(4)]
    answers = [
        await auth.post("/api/logout", one["token"]),
        await auth.delete(f"/api/sessions/{two['session_id']}", three["token"]),
        await auth.http.post("/oauth2/revoke", data={"token": three["token"]}),
        await auth.http.post("/oauth2/revoke", data={"token": three["refresh_token"]}),
        await auth.delete("/api/sessions", four["token"]),
    ]
    receipts = [StreamId.parse(answer.headers["revocation-receipt"]) for answer in answers]
    assert receipts == sorted(set(receipts))
    while other_auth.resources.backends.feed.position < receipts[-1]:
        await asyncio.sleep(0.05)
    assert not any([await other_auth.accepts(tokens["token"]) for tokens in (one, two, three, four)])


async def test_where_nothing_was_revoked_there_is_no_receipt(auth: Auth) -> None:
    answer = await auth.http.post("/oauth2/revoke", data={"token": "no-token"})
    assert (answer.status_code, "revocation-receipt" in answer.headers) == (200, False)
