"""How a user is written down in DynamoDB."""

from typing import Any

from services.auth.domain.users import User
from shared.clients.items import from_item, to_item


def row_of(user: User) -> dict[str, Any]:
    return to_item(
        {
            "username": user.username,
            "user_id": user.user_id,
            "password_hash": user.password_hash,
            "roles": list(user.roles),
            "permissions": list(user.permissions),
            "disabled": user.disabled,
            "display_name": user.display_name,
            "created_at_ms": user.created_at_ms,
            "changed_at_ms": user.changed_at_ms,
            "password_changed_at": user.password_changed_at,
            "kept_session": user.kept_session,
            "version": user.version,
        }
    )


def user_of(item: dict[str, Any]) -> User:
    row = from_item(item)
    return User(
        user_id=row["user_id"],
        username=row["username"],
        password_hash=row["password_hash"],
        roles=tuple(row["roles"]),
        permissions=tuple(row["permissions"]),
        disabled=row["disabled"],
        display_name=row.get("display_name"),
        created_at_ms=row["created_at_ms"],
        changed_at_ms=row["changed_at_ms"],
        password_changed_at=row["password_changed_at"],
        kept_session=row.get("kept_session"),
        version=row["version"],
    )
