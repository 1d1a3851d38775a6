"""How an entry of the audit trail is written down in DynamoDB, and in which places."""

import zlib
from collections.abc import Sequence
from typing import Any

from services.auth.domain.audit import AuditEntry, AuditEvent
from shared.clients.items import from_item, to_item

SHARDS = 8
"""A partition takes a thousand writes a second, and each login lands in the same views: so these are split."""


def rows_of(entry: AuditEntry, keep_seconds: int) -> list[dict[str, Any]]:
    """A row for each view that the entry is found by. Each is whole, so a page is one query."""
    event = entry.event
    row = to_item(
        {
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
    return [{"view": {"S": view}, **row} for view in _views(entry)]


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


def views_of_user(user_id: str) -> Sequence[str]:
    """One: what happens to one user is never more than a partition takes for long."""
    return (f"user#{user_id}",)


def views_of_client(client_id: str) -> Sequence[str]:
    return _split(f"client#{client_id}")


def views_of_event(event: str) -> Sequence[str]:
    return _split(f"event#{event}")


def views_of_all() -> Sequence[str]:
    return _split("all")


def _split(view: str) -> Sequence[str]:
    return [f"{view}#{shard}" for shard in range(SHARDS)]


def _views(entry: AuditEntry) -> list[str]:
    event = entry.event
    shard = zlib.crc32(entry.audit_id.encode()) % SHARDS
    split = [views_of_all(), views_of_event(event.event)]
    if event.client_id is not None:
        split.append(views_of_client(event.client_id))
    users = {who for who in (event.actor, event.subject) if who not in {None, event.client_id}}
    return [views[shard] for views in split] + [f"user#{user}" for user in sorted(filter(None, users))]
