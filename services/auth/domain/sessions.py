"""A session: what begins with a login, is kept alive by refreshing, and can be ended."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.auth.domain.refresh import RefreshState, RefreshToken, first_token
from services.auth.domain.users import User
from shared.ids import new_id

FIRST_PARTY_CLIENT = "mayfly-login"
"""The `client_id` of tokens that a login gives: a public client without a secret."""

MOST_LISTED_TOKENS = 100
_LONGEST_USER_AGENT = 200
_SESSION_ID = re.compile(r"ses_[a-z2-7]{26}\Z")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a login came from, as shown in the list of sessions."""

    address: str
    user_agent: str

    @classmethod
    def of(cls, address: str, raw_user_agent: str) -> "Origin":
        printable = "".join(letter for letter in raw_user_agent if letter.isprintable())
        return cls(address, printable[:_LONGEST_USER_AGENT])


@dataclass(frozen=True, slots=True)
class Session:
    """A row of `sessions`.

    `issued_at` is the `iat` of its first access token: a revocation of the user up to then ends the session too.
    `expires_at`: until when it can be refreshed. `tokens_expire_at`: no access token of it lives longer.
    `listed_tokens`: when each of its access tokens that stand in a status list has surely expired, by their `jti`.
    """

    session_id: str
    user_id: str
    username: str
    client_id: str
    scope: frozenset[str]
    origin: Origin
    issued_at: int
    created_at_ms: int
    last_used_at_ms: int
    expires_at: int
    tokens_expire_at: int
    refresh: RefreshState
    listed_tokens: Mapping[str, int]
    ended_at_ms: int | None = None

    def is_alive(self, now: float) -> bool:
        """Whether it can still be refreshed, as far as this row knows."""
        return self.ended_at_ms is None and now < self.expires_at

    def may_list_another(self, now: float) -> bool:
        """A row has room for so many tokens only: who refreshes without pause gets some that stand in no list."""
        return sum(now < expires_at for expires_at in self.listed_tokens.values()) < MOST_LISTED_TOKENS

    def may_go_on(self, user: User | None) -> bool:
        """Whether the user's row allows it: a new password ends all sessions but that in which it was changed."""
        if user is None or user.disabled or user.user_id != self.user_id:
            return False
        return self.issued_at > user.password_changed_at or self.session_id == user.kept_session


def may_be_session_id(unverified_id: str) -> bool:
    """Whether `start_session` could have made it: nothing else is worth asking the table for."""
    return _SESSION_ID.match(unverified_id) is not None


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds: of an access token, of a session, and of the grace in which a used refresh token is answered again."""

    access_seconds: int
    session_seconds: int
    grace_seconds: int

    def tokens_expire_at(self, now: float) -> int:
        """The latest expiry of a token that is issued now, or in the grace that begins now."""
        return int(now) + self.access_seconds + self.grace_seconds + 1


def start_session(
    user: User,
    origin: Origin,
    *,
    client_id: str,
    scope: frozenset[str],
    issued_at: int,
    token_id: str,
    lifetimes: Lifetimes,
    now: float,
) -> tuple[Session, RefreshToken]:
    """The session that a user begins with a client, and the only copy of its first refresh token.

    `token_id` is the `jti` of its first access token.
    """
    session_id = new_id("ses")
    token, state = first_token(session_id, now)
    session = Session(
        session_id=session_id,
        user_id=user.user_id,
        username=user.username,
        client_id=client_id,
        scope=scope,
        origin=origin,
        issued_at=issued_at,
        created_at_ms=int(now * 1000),
        last_used_at_ms=int(now * 1000),
        expires_at=int(now) + lifetimes.session_seconds,
        tokens_expire_at=lifetimes.tokens_expire_at(now),
        refresh=state,
        listed_tokens={token_id: lifetimes.tokens_expire_at(now)},
    )
    return session, token
