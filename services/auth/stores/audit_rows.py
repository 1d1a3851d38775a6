"""How an entry of the audit trail is written down in DynamoDB, and by which views it is found."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.auth.domain.audit import AuditEntry, AuditEvent
from services.auth.stores.tables import CLIENT_INDEX, EVENT_INDEX, USER_INDEXES, VIEW
from shared.clients.items import from_item, to_item

SHARDS = 8
"""A partition takes a thousand writes a second, and each login lands in the same views: so these are split."""


@dataclass(frozen=True, slots=True)
class View:
    """Entries with one value of one key: the table's own where `index` is None, else that of a sparse index."""

    key: str
    value: str

    @property
    def index(self) -> str | None:
        return None if self.key == VIEW else self.key


def row_of(entry: AuditEntry, keep_seconds: int) -> dict[str, Any]:
    """One row, which DynamoDB itself copies into the indexes of the views that the entry belongs to."""
    event = entry.event
    return to_item(
        {
            **_keys(entry),
            "position": entry.position,
            "audit_id": entry.audit_id,
            "at_ms": entry.at_ms,
            "address": entry.address,
            "trace_id": entry.trace_id,
            "event": event.event,
            "outcome": event.outcome,
            "actor": event.actor,
            "subject": event.subject,
            "client_id": event.client_id,
            "reason": event.reason,
            "details": dict(event.details),
            "expires_at": entry.at_ms // 1000 + keep_seconds,
        }
    )


def entry_of(item: dict[str, Any]) -> AuditEntry:
    row = from_item(item)
    event = AuditEvent(
        row["event"],
        row["outcome"],
        actor=row.get("actor"),
        subject=row.get("subject"),
        client_id=row.get("client_id"),
        reason=row.get("reason"),
        details=row["details"],
    )
    return AuditEntry(row["audit_id"], row["at_ms"], row.get("address"), row["trace_id"], event)


def views_of_user(user_id: str) -> Sequence[View]:
    """Not split: what happens to one user is never more than a partition takes for long."""
    return [View(index, user_id) for index in USER_INDEXES]


def views_of_client(client_id: str) -> Sequence[View]:
    return _split(CLIENT_INDEX, client_id)


def views_of_event(event: str) -> Sequence[View]:
    return _split(EVENT_INDEX, event)


def views_of_all() -> Sequence[View]:
    return _split(VIEW, "all")


def _split(key: str, value: str) -> Sequence[View]:
    return [View(key, f"{value}#{shard}") for shard in range(SHARDS)]


def _keys(entry: AuditEntry) -> dict[str, str]:
    """What the table and its indexes find the entry by: never twice by the same user."""
    event = entry.event
    shard = zlib.crc32(entry.audit_id.encode()) % SHARDS
    keys = {VIEW: f"all#{shard}", EVENT_INDEX: f"{event.event}#{shard}"}
    if event.client_id is not None:
        keys[CLIENT_INDEX] = f"{event.client_id}#{shard}"
    users = {who for who in (event.actor, event.subject) if who not in {None, event.client_id}}
    return keys | dict(zip(USER_INDEXES, sorted(filter(None, users)), strict=False))
