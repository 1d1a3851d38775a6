"""How a session is written down in DynamoDB."""

from typing import Any

from services.auth.domain.refresh import RefreshState
from services.auth.domain.sessions import Origin, Session
from shared.clients.items import from_item, to_item


def row_of(session: Session) -> dict[str, Any]:
    return to_item(
        {
            "session_id": session.session_id,
            "user_id": session.user_id,
            "alive_for": session.user_id,
            "username": session.username,
            "client_id": session.client_id,
            "scope": sorted(session.scope),
            "address": session.origin.address,
            "user_agent": session.origin.user_agent,
            "issued_at": session.issued_at,
            "created_at_ms": session.created_at_ms,
            "last_used_at_ms": session.last_used_at_ms,
            "expires_at": session.expires_at,
            "tokens_expire_at": session.tokens_expire_at,
            "mark_key": session.refresh.mark_key,
            "current_hash": session.refresh.current_hash,
            "rotated_at_ms": session.refresh.rotated_at_ms,
            "listed_tokens": dict(session.listed_tokens),
        }
    )


def session_of(item: dict[str, Any]) -> Session:
    row = from_item(item)
    return Session(
        session_id=row["session_id"],
        user_id=row["user_id"],
        username=row["username"],
        client_id=row["client_id"],
        scope=frozenset(row["scope"]),
        origin=Origin(row["address"], row["user_agent"]),
        issued_at=row["issued_at"],
        created_at_ms=row["created_at_ms"],
        last_used_at_ms=row["last_used_at_ms"],
        expires_at=row["expires_at"],
        tokens_expire_at=row["tokens_expire_at"],
        refresh=RefreshState(
            row["mark_key"], row["current_hash"], row.get("previous_hash"), row.get("salt"), row["rotated_at_ms"]
        ),
        listed_tokens=row["listed_tokens"],
        ended_at_ms=row.get("ended_at_ms"),
    )
