"""Each decision is in the log at once and in DynamoDB soon, and no outage of DynamoDB holds up a request."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.auth.domain.audit import AuditEntry, AuditEvent
from services.auth.settings import AuthSettings
from services.auth.stores.audit_rows import entry_of
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.tables import TABLES, create_table
from shared import clock
from shared.clients.aws import open_dynamodb
from shared.testing.ports import free_port
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import DEMO_CLIENT, Auth, running
from tests.support.waiting import eventually

NEVER = "ses_" + "a" * 26


async def _rows(settings: AuthSettings) -> list[dict[str, Any]]:
    async with open_dynamodb(settings) as dynamodb:
        answer = await dynamodb.scan(TableName=f"{settings.table_prefix}audit", ConsistentRead=True)
    return list(answer["Items"])


async def _entries(settings: AuthSettings) -> list[AuditEntry]:
    """One for each event, in the order of time."""
    entries = {row["audit_id"]["S"]: entry_of(row) for row in await _rows(settings)}
    return sorted(entries.values(), key=lambda entry: entry.position)


def _decisions(entries: list[AuditEntry]) -> list[tuple[str, str, str | None]]:
    return [(entry.event.event, entry.event.outcome, entry.event.reason) for entry in entries]


async def _act(auth: Auth) -> list[str]:
    """Each kind of decision once; the secrets that came up."""
    tokens = await auth.login()
    await auth.try_login("testuser", "a-wrong-password")
    await auth.try_login("nobody-of-this-name", "a-wrong-password")
    successor = (await auth.refresh(tokens["refresh_token"])).json()
    client_token = (await auth.client_token()).json()["access_token"]
    await auth.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(DEMO_CLIENT[0], "wrong-one"))
    await auth.http.post("/oauth2/revoke", data={"token": client_token}, auth=DEMO_CLIENT)
    await auth.post("/api/logout", tokens["token"])
    await auth.delete("/api/sessions", (await auth.login())["token"])
    return [
        *(tokens[name] for name in ("token", "refresh_token")),
        *(successor[name] for name in ("access_token", "refresh_token")),
        client_token,
        "a-wrong-password",
        "nobody-of-this-name",
        "testpass",
        "wrong-one",
    ]


async def test_each_decision_is_one_event_and_holds_no_secret(make_settings: MakeSettings) -> None:
    settings = make_settings()
    async with running(settings) as auth:
        secrets = await _act(auth)
    entries = await _entries(settings)
    assert _decisions(entries) == [
        ("login", "succeeded", None),
        ("login", "refused", "wrong_password"),
        ("login", "refused", "unknown_user"),
        ("token-refresh", "succeeded", None),
        ("client-token", "succeeded", None),
        ("client-authentication", "refused", "wrong_secret"),
        ("token-revocation", "succeeded", None),
        ("logout", "succeeded", None),
        ("login", "succeeded", None),
        ("sessions-end", "succeeded", None),
    ]
    assert {entry.address for entry in entries} == {"192.0.2.7"}
    text = repr([asdict(entry) for entry in entries])
    assert [secret for secret in secrets if secret in text] == []


async def test_an_event_says_who_and_whom(make_settings: MakeSettings) -> None:
    settings = make_settings()
    async with running(settings) as auth:
        admin = (await auth.login("admin", "admin-demo-only"))["token"]
        await auth.post("/api/admin/revocations", admin, {"kind": "user", "value": "user_alice"})
    (*_, entry) = await _entries(settings)
    assert (entry.event.actor, entry.event.subject) == ("user_admin", "user_alice")
    assert entry.event.client_id == "mayfly-login"
    assert entry.event.details == {"kind": "user"}


async def test_rows_expire(make_settings: MakeSettings) -> None:
    settings = make_settings(audit_keep_days=2)
    async with running(settings) as auth:
        await auth.login()
    for row in await _rows(settings):
        assert abs(int(row["expires_at"]["N"]) - clock.now() - 2 * 86_400) < 60


async def test_an_event_is_stored_while_the_process_runs_on(auth: Auth, make_settings: MakeSettings) -> None:
    await auth.login()

    async def stored() -> bool:
        return bool(await _rows(make_settings()))

    await eventually(stored)


@pytest.fixture
async def cut_off(make_settings: MakeSettings) -> AsyncIterator[AuditTrail]:
    """A trail whose DynamoDB is not there."""
    settings = make_settings(aws_endpoint_url=f"http://127.0.0.1:{free_port()}")
    async with open_dynamodb(settings) as dynamodb:
        trail = AuditTrail(dynamodb, settings.table_prefix, keep_seconds=60)
        trail.start()
        yield trail
        await trail.stop()


def _dropped() -> float:
    return REGISTRY.get_sample_value("mayfly_audit_events_dropped_total") or 0


async def test_without_dynamodb_events_wait_up_to_a_bound_and_then_are_counted(cut_off: AuditTrail) -> None:
    before = _dropped()
    for _ in range(10_100):
        cut_off.record(AuditEvent("login", "refused", reason="unknown_user"), clock.now())
    assert _dropped() - before == 100


async def test_what_waited_is_stored_once_dynamodb_answers(make_settings: MakeSettings) -> None:
    """The first table of the name does not exist, so every write fails until it does."""
    settings = make_settings()
    async with open_dynamodb(settings) as dynamodb:
        await dynamodb.delete_table(TableName=f"{settings.table_prefix}audit")
        trail = AuditTrail(dynamodb, settings.table_prefix, keep_seconds=60)
        trail.start()
        trail.record(AuditEvent("login", "refused", reason="unknown_user"), clock.now())
        await asyncio.sleep(0.3)
        for table in TABLES:
            await create_table(dynamodb, settings.table_prefix, table)
        await trail.stop()
    assert _decisions(await _entries(settings)) == [("login", "refused", "unknown_user")]


async def test_more_than_one_batch_is_stored(make_settings: MakeSettings) -> None:
    settings = make_settings()
    async with open_dynamodb(settings) as dynamodb:
        trail = AuditTrail(dynamodb, settings.table_prefix, keep_seconds=60)
        for number in range(150):
            trail.record(AuditEvent("login", "refused", subject=f"user_{number}"), clock.now())
        await trail.stop()
    assert {entry.event.subject for entry in await _entries(settings)} == {f"user_{number}" for number in range(150)}


async def _refusals(settings: AuthSettings) -> list[tuple[str, str | None, str | None]]:
    return [
        (entry.event.event, entry.event.reason, entry.event.subject)
        for entry in await _entries(settings)
        if entry.event.outcome == "refused"
    ]


async def test_a_refused_refresh_says_why_and_whose_it_was(make_settings: MakeSettings) -> None:
    settings = make_settings(refresh_grace_seconds=0)
    async with running(settings) as auth:
        tokens, ended = await auth.login(), await auth.login()
        secret = ended["refresh_token"].partition(".")[2]
        await auth.refresh(f"{NEVER}.{secret}")
        await auth.refresh(f"{tokens['session_id']}.{secret}")
        await auth.post("/api/logout", ended["token"])
        await auth.refresh(ended["refresh_token"])
        await auth.refresh(tokens["refresh_token"])
        await auth.refresh(tokens["refresh_token"])
    assert await _refusals(settings) == [
        ("token-refresh", "unknown_token", None),
        ("token-refresh", "forged_token", "user_testuser"),
        ("token-refresh", "ended_session", "user_testuser"),
        ("refresh-token-reuse", None, "user_testuser"),
    ]


async def test_a_client_that_gives_back_anothers_token_is_written_down(make_settings: MakeSettings) -> None:
    settings = make_settings()
    async with running(settings) as auth:
        tokens = await auth.login()
        for token in (tokens["token"], tokens["refresh_token"]):
            await auth.http.post("/oauth2/revoke", data={"token": token}, auth=DEMO_CLIENT)
    assert await _refusals(settings) == [("token-revocation", "another_clients_token", "user_testuser")] * 2
