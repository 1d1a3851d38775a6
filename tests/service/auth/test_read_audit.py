"""What administrators learn from the audit trail."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.auth.domain.audit import AuditEvent
from services.auth.stores.audit_trail import AuditTrail
from shared import clock
from shared.clients.aws import open_dynamodb
from shared.testing.ports import free_port
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, problem, running

START = 1_795_560_000
ALICE = AuditEvent("login", "succeeded", "user_a", "user_a", "web", details={"session_id": "ses_1"})
BOB = AuditEvent("login", "refused", None, "user_b", "web", "wrong_password")
ADMIN = AuditEvent("user-change", "succeeded", "user_root", "user_a", "console", details={"roles": ["user"]})


@pytest.fixture
async def auth(make_settings: MakeSettings) -> AsyncIterator[Auth]:
    """With sixty events, one a second: of alice, of bob, of an administrator about alice, and so on."""
    settings = make_settings()
    async with open_dynamodb(settings) as dynamodb:
        trail = AuditTrail(dynamodb, settings.table_prefix, keep_seconds=10**9)
        for second in range(60):
            trail.record((ALICE, BOB, ADMIN)[second % 3], START + second)
        await trail.stop()
    async with running(settings) as auth:
        yield auth


@pytest.fixture
async def admin(auth: Auth) -> str:
    token: str = (await auth.login("admin", "admin-demo-only"))["token"]
    return token


async def _read(auth: Auth, token: str, query: str, limit: int = 7) -> list[dict[str, Any]]:
    """All pages of the answer."""
    found: list[dict[str, Any]] = []
    cursor = ""
    until = clock.rfc3339(START + 1000)
    for _ in range(40):
        response = await auth.get(f"/api/audit?limit={limit}&until={until}&{query}{cursor}", token)
        assert response.status_code == 200, response.text
        found += response.json()["entries"]
        if response.json()["next_cursor"] is None:
            return found
        cursor = f"&cursor={response.json()['next_cursor']}"
    raise AssertionError("the pages do not end")


def _seconds(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["at"] for entry in entries]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", list(range(60))),
        ("user_id=user_a", [second for second in range(60) if second % 3 != 1]),
        ("user_id=user_b", list(range(1, 60, 3))),
        ("user_id=user_root", list(range(2, 60, 3))),
        ("user_id=nobody", []),
        ("client_id=web", [second for second in range(60) if second % 3 != 2]),
        ("client_id=console", list(range(2, 60, 3))),
        ("event=user-change", list(range(2, 60, 3))),
        ("event=logout", []),
        ("outcome=refused", list(range(1, 60, 3))),
        ("event=login&outcome=succeeded", list(range(0, 60, 3))),
        ("event=login&client_id=console", []),
        ("user_id=user_a&client_id=web&event=login&outcome=succeeded", list(range(0, 60, 3))),
        ("user_id=user_b&event=user-change", []),
        (f"since={clock.rfc3339(START + 50)}", list(range(50, 60))),
        (f"user_id=user_b&since={clock.rfc3339(START + 50)}", [52, 55, 58]),
    ],
)
async def test_each_question_gets_all_that_fits_the_newest_first(
    auth: Auth, admin: str, query: str, wanted: list[int]
) -> None:
    entries = await _read(auth, admin, query)
    assert _seconds(entries) == [clock.rfc3339(START + second) for second in reversed(wanted)]
    assert len({entry["audit_id"] for entry in entries}) == len(wanted)


async def test_the_end_of_a_range_does_not_belong_to_it(auth: Auth, admin: str) -> None:
    since, until = clock.rfc3339(START + 3), clock.rfc3339(START + 6)
    response = await auth.get(f"/api/audit?since={since}&until={until}", admin)
    assert _seconds(response.json()["entries"]) == [clock.rfc3339(START + second) for second in (5, 4, 3)]
    backwards = await auth.get(f"/api/audit?since={until}&until={since}", admin)
    assert backwards.json() == {"entries": [], "next_cursor": None}


async def test_an_entry_says_all_that_was_recorded(auth: Auth, admin: str) -> None:
    entry = (await _read(auth, admin, "event=user-change", limit=100))[0]
    assert entry.pop("audit_id").startswith("aud_")
    assert len(entry.pop("trace_id")) == 32
    assert entry == {
        "at": clock.rfc3339(START + 59), "event": "user-change", "outcome": "succeeded", "actor": "user_root",
        "subject": "user_a", "client_id": "console", "address": None, "reason": None, "details": {"roles": ["user"]},
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "event=nonsense",
        "outcome=maybe",
        "since=yesterday",
        "since=2026-13-01T00:00:00Z",
        "since=1969-01-01T00:00:00Z",
        "since=1795560000",
        "limit=0",
        "limit=101",
        "cursor=x",
        "cursor=",
        "cursor=" + "x" * 301,
        "user_id=",
        "user_id=%00",
        "user_id=" + "x" * 201,
    ],
)
async def test_what_can_not_be_asked_is_refused(auth: Auth, admin: str, query: str) -> None:
    response = await auth.get(f"/api/audit?{query}", admin)
    assert (response.status_code, problem(response)) == (422, "validation-failed")
    assert [error["pointer"] for error in response.json()["errors"]] == [query.partition("=")[0]]


async def test_nobody_but_an_administrator_reads_it(auth: Auth) -> None:
    response = await auth.get("/api/audit?user_id=user_testuser", (await auth.login())["token"])
    assert (response.status_code, problem(response)) == (403, "insufficient-scope")


async def test_without_dynamodb_it_can_not_be_read(make_settings: MakeSettings, auth: Auth, admin: str) -> None:
    async with running(make_settings(aws_endpoint_url=f"http://127.0.0.1:{free_port()}")) as cut_off:
        await cut_off.until_it_hears()
        response = await cut_off.get("/api/audit", admin)
        assert (response.status_code, problem(response)) == (503, "unavailable")
        assert response.headers["retry-after"] == "1"
