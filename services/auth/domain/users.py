"""Who may log in, and what their roles and permissions reach."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

ADMIN_SCOPE = "admin"
SCOPES = ("jobs:read", "jobs:write", ADMIN_SCOPE)
_SCOPE_OF_PERMISSION: Mapping[str, str] = {"read": "jobs:read", "write": "jobs:write"}
LONGEST_USERNAME = 256
"""Once folded: one letter may fold to eighteen, and DynamoDB takes a key of 2,048 bytes."""
_USER_ID = re.compile(r"user_[^\x00-\x20\x7f]{1,256}\Z")
_SCOPE_OF_ROLE: Mapping[str, str] = {"admin": ADMIN_SCOPE}


@dataclass(frozen=True, slots=True)
class User:
    """A row of `users`. `username` is in the form of `fold_username`, which makes it unique; it never changes.

    `password_changed_at`: sessions of this second and before have ended, save `kept_session`. `version` is counted up
    by each change, save that of a hash of the same password.
    """

    user_id: str
    username: str
    password_hash: str = field(repr=False)
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    disabled: bool = False
    display_name: str | None = None
    created_at_ms: int = 0
    changed_at_ms: int = 0
    password_changed_at: int = -1
    kept_session: str | None = None
    version: int = 1

    @property
    def is_active_admin(self) -> bool:
        return not self.disabled and ADMIN_SCOPE in scope_of(self.roles, self.permissions)

    @property
    def may(self) -> frozenset[str]:
        """Everything that its tokens tell services: a token that says more than this must end."""
        return frozenset((*self.roles, *self.permissions))

    def with_password(self, password_hash: str, now: float, *, kept_session: str | None) -> "User":
        """Another password, which ends all sessions but that one."""
        return replace(
            self,
            password_hash=password_hash,
            password_changed_at=int(now),
            kept_session=kept_session,
            changed_at_ms=int(now * 1000),
        )


def may_be_user_id(unverified_id: str) -> bool:
    """Whether it is worth asking the table for."""
    return _USER_ID.match(unverified_id) is not None


def flaw_of_username(raw_username: str) -> str | None:
    """Why this can't be a new user's name."""
    username = fold_username(raw_username)
    if username != username.strip() or not username.isprintable():
        return "letters, digits and signs, with no space at an end"
    if len(username) > LONGEST_USERNAME:
        return f"at most {LONGEST_USERNAME} letters in its normal form (NFKC)"
    return None


def fold_username(raw_username: str) -> str:
    """One spelling for all that people take for the same name: NFKC, no upper case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", raw_username).casefold())


def normalize_password(raw_password: str) -> str:
    """NFKC (NIST SP 800-63B §3.1.1.2): keyboards write the same letters in different ways."""
    return unicodedata.normalize("NFKC", raw_password)


def within(scope: frozenset[str], roles: Iterable[str], permissions: Iterable[str]) -> tuple[list[str], list[str]]:
    """Of these roles and permissions those that reach no further than the scope."""
    kept_roles = [role for role in roles if _SCOPE_OF_ROLE.get(role) in {None, *scope}]
    return kept_roles, [name for name in permissions if _SCOPE_OF_PERMISSION.get(name) in {None, *scope}]


def scope_of(roles: Iterable[str], permissions: Iterable[str]) -> frozenset[str]:
    """All that a user with these may be granted; what is not known here grants nothing."""
    scopes = [_SCOPE_OF_ROLE.get(role) for role in roles]
    scopes += [_SCOPE_OF_PERMISSION.get(permission) for permission in permissions]
    return frozenset(scope for scope in scopes if scope is not None)
