import asyncio
from typing import Any

import pytest

from services.auth.domain.sessions import FIRST_PARTY_CLIENT
from shared import clock
from shared.tokens.revocation_feed import StreamId
from tests.service.auth.running import DEMO_CLIENT, Auth, problem


@pytest.fixture
async def admin(auth: Auth) -> str:
    return str((await auth.login("admin", "admin-demo-only"))["token"])


async def _revoke(auth: Auth, admin: str, kind: str, value: str | None) -> dict[str, Any]:
    response = await auth.post("/api/admin/revocations", admin, {"kind": kind, "value": value})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_the_answer_says_what_is_in_force_and_carries_a_receipt(auth: Auth, admin: str) -> None:
    body = await _revoke(auth, admin, "user", "user_nobody")
    assert body.keys() == {"kind", "value", "receipt", "not_before", "expires_at"}
    assert (body["kind"], body["value"]) == ("user", "user_nobody")
    assert abs(StreamId.parse(body["receipt"]).milliseconds / 1000 - clock.now()) < 5
    assert body["not_before"] <= clock.rfc3339(clock.now())
    assert body["expires_at"] > clock.rfc3339(clock.now() + 30 * 86_400)


async def test_who_has_read_up_to_the_receipt_knows(auth: Auth, other_auth: Auth, admin: str) -> None:
    token = (await auth.login())["token"]
    receipt = StreamId.parse((await _revoke(auth, admin, "user", "user_testuser"))["receipt"])
    while other_auth.resources.backends.feed.position < receipt:
        await asyncio.sleep(0.05)
    assert not await other_auth.accepts(token)


async def test_a_users_revocation_ends_all_of_the_users_tokens_and_sessions(auth: Auth, admin: str) -> None:
    tokens = [await auth.login() for _ in range(2)]
    await _revoke(auth, admin, "user", "user_testuser")
    for each in tokens:
        assert not await auth.accepts(each["token"])
        assert (await auth.refresh(each["refresh_token"])).status_code == 400
    assert await auth.accepts((await auth.login())["token"])
    assert await auth.accepts(admin)


async def test_a_revocation_of_one_token_ends_nothing_else(auth: Auth, admin: str) -> None:
    tokens = await auth.login()
    jti = (await auth.resources.verifier.verify(tokens["token"])).claims.jti
    await _revoke(auth, admin, "jti", jti)
    assert not await auth.accepts(tokens["token"])
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_sessions_revocation_ends_it_for_good(auth: Auth, admin: str) -> None:
    tokens = await auth.login()
    await _revoke(auth, admin, "session", tokens["session_id"])
    assert not await auth.accepts(tokens["token"])
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 400
    mine = await auth.login()
    sessions = (await auth.get("/api/sessions", mine["token"])).json()["sessions"]
    assert [session["session_id"] for session in sessions] == [mine["session_id"]]


async def test_a_session_that_nobody_knows_can_be_revoked(auth: Auth, admin: str) -> None:
    assert (await _revoke(auth, admin, "session", "ses_unknown"))["kind"] == "session"


async def test_a_clients_revocation_ends_its_tokens(auth: Auth, admin: str) -> None:
    token = (await auth.client_token()).json()["access_token"]
    await _revoke(auth, admin, "client", DEMO_CLIENT[0])
    assert not await auth.accepts(token)
    assert await auth.accepts(admin)


async def test_a_revocation_of_the_first_party_client_ends_every_session(auth: Auth, admin: str) -> None:
    tokens = await auth.login()
    await _revoke(auth, admin, "client", "mayfly-login")
    assert not await auth.accepts(tokens["token"])
    assert not await auth.accepts(admin)
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 400
    assert await auth.accepts((await auth.login())["token"])


async def test_who_is_no_admin_is_refused(auth: Auth) -> None:
    token = (await auth.login())["token"]
    response = await auth.post("/api/admin/revocations", token, {"kind": "user", "value": "user_alice"})
    assert (response.status_code, problem(response)) == (403, "insufficient-scope")
    assert 'scope="admin"' in response.headers["www-authenticate"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "everything", "value": "x"},
        {"kind": "sid", "value": "x"},
        {"kind": "user"},
        {"kind": "user", "value": ""},
        {"kind": "user", "value": "a" * 129},
        {"kind": "user", "value": "a b"},
        {"kind": "user", "value": "a\n"},
        {"kind": "user", "value": "a|b"},
        {"kind": "user", "value": 7},
        {"kind": "user", "value": "a", "not_before": 0},
        [],
    ],
)
async def test_a_revocation_that_makes_no_sense_is_refused(auth: Auth, admin: str, body: object) -> None:
    response = await auth.post("/api/admin/revocations", admin, body)
    assert (response.status_code, problem(response)) == (422, "validation-failed")


async def test_many_revocations_of_one_user_at_once_are_all_answered(auth: Auth, admin: str) -> None:
    bodies = await asyncio.gather(*(_revoke(auth, admin, "user", "user_alice") for _ in range(4)))
    in_force = max(body["not_before"] for body in bodies)
    assert in_force <= clock.rfc3339(clock.now() + 2)
    assert (await _revoke(auth, admin, "user", "user_alice"))["not_before"] >= in_force


async def test_a_user_who_is_revoked_again_and_again_can_log_in_a_moment_later(auth: Auth, admin: str) -> None:
    for _ in range(6):
        await _revoke(auth, admin, "user", "user_alice")
    tokens = await auth.login("alice", "wonderland-demo")
    assert await auth.accepts(tokens["token"])


@pytest.mark.parametrize("last", [("all", None), ("client", FIRST_PARTY_CLIENT), ("user", "user_alice")])
async def test_a_token_that_follows_a_revocation_is_ended_by_the_next_of_whatever_kind(
    auth: Auth, admin: str, last: tuple[str, str | None]
) -> None:
    """Had it the time of a second that is yet to come, it would outlive what is revoked until then."""
    await _revoke(auth, admin, "user", "user_alice")
    token = (await auth.login("alice", "wonderland-demo"))["token"]
    assert (await auth.resources.verifier.verify(token)).claims.iat <= clock.now()
    await _revoke(auth, admin, *last)
    assert not await auth.accepts(token)


async def test_a_keys_revocation_ends_whatever_it_signed(auth: Auth, admin: str) -> None:
    token = (await auth.login())["token"]
    assert (await _revoke(auth, admin, "key", "another-key"))["kind"] == "key"
    assert await auth.accepts(token)
    await _revoke(auth, admin, "key", auth.resources.keys.active.kid)
    assert not await auth.accepts(token)
    assert not await auth.accepts((await auth.login())["token"])


async def test_everything_can_be_revoked_at_once_and_logins_go_on(auth: Auth, other_auth: Auth, admin: str) -> None:
    tokens, client_token = await auth.login(), (await auth.client_token()).json()["access_token"]
    response = await auth.post("/api/admin/revocations", admin, {"kind": "all"})
    assert (response.status_code, response.json()["value"]) == (200, "*")
    for token in (tokens["token"], client_token, admin):
        assert not await auth.accepts(token)
    assert (await auth.refresh(tokens["refresh_token"])).status_code == 400
    assert await auth.accepts((await auth.login())["token"])
    receipt = StreamId.parse(response.json()["receipt"])
    while other_auth.resources.backends.feed.position < receipt:
        await asyncio.sleep(0.05)
    assert not await other_auth.accepts(client_token)
    assert await other_auth.accepts((await other_auth.login())["token"])


async def test_what_was_issued_before_a_time_can_be_revoked(auth: Auth, admin: str) -> None:
    token = (await auth.login())["token"]
    for seconds, still_good in ((3600, True), (0, False)):
        until = clock.rfc3339(clock.now() - seconds)
        body = {"kind": "user", "value": "user_testuser", "not_before": until}
        response = await auth.post("/api/admin/revocations", admin, body)
        assert response.status_code == 200, response.text
        assert response.json()["not_before"] == until[:19] + ".000Z"
        assert await auth.accepts(token) is still_good


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "user"},
        {"kind": "all", "value": "user_testuser"},
        {"kind": "all", "not_before": "2999-01-01T00:00:00Z"},
        {"kind": "all", "not_before": "1969-01-01T00:00:00Z"},
        {"kind": "all", "not_before": "2026-13-01T00:00:00Z"},
        {"kind": "all", "not_before": "yesterday"},
        {"kind": "all", "not_before": 1},
        {"kind": "jti", "value": "tok_1", "not_before": "2026-01-01T00:00:00Z"},
    ],
)
async def test_a_revocation_that_is_not_clear_is_refused(auth: Auth, admin: str, body: dict[str, object]) -> None:
    response = await auth.post("/api/admin/revocations", admin, body)
    assert (response.status_code, problem(response)) == (422, "validation-failed")
    assert response.json()["errors"][0]["detail"]
