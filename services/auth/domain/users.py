"""Who may log in, and what their roles and permissions reach."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ADMIN_SCOPE = "admin"
SCOPES = ("jobs:read", "jobs:write", ADMIN_SCOPE)
_SCOPE_OF_PERMISSION: Mapping[str, str] = {"read": "jobs:read", "write": "jobs:write"}
_SCOPE_OF_ROLE: Mapping[str, str] = {"admin": ADMIN_SCOPE}


@dataclass(frozen=True, slots=True)
class User:
    """A row of `users`. `username` is in the form of `fold_username`, which makes it unique."""

    user_id: str
    username: str
    password_hash: str
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    disabled: bool = False


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
