"""Refresh tokens that rotate (RFC 9700 §4.14.2). Pure, and nothing that is stored can be presented as a token.

A token is `session.secret`; stored is the secret's SHA-256. The successor's secret is computed from the presented one
and a stored random salt, so the same successor can be answered again, for a moment, without keeping it. Each secret
ends with a mark that only a token of the same session has: a made-up token for a session that somebody has heard of
is told from an old one, and does not end the session.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.auth.domain.oauth_errors import InvalidGrant
from shared.ids import digest, new_secret

_FORM = re.compile(r"(ses_[a-z2-7]{26})\.([A-Za-z0-9_-]{43}[A-Za-z0-9_-]{22})\Z")
_MARK_LETTERS = 22

Use: TypeAlias = Literal["current", "repeated", "reused", "forged"]


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What the client holds; `str` gives it in full."""

    session_id: str
    secret: str

    @classmethod
    def parse(cls, raw_token: str) -> "RefreshToken":
        """Raises InvalidGrant for what was never one of ours."""
        match = _FORM.match(raw_token)
        if match is None:
            raise InvalidGrant("This is no refresh token.")
        return cls(match[1], match[2])

    def __str__(self) -> str:
        return f"{self.session_id}.{self.secret}"

    def __repr__(self) -> str:
        return f"RefreshToken(session_id={self.session_id!r})"


@dataclass(frozen=True, slots=True)
class RefreshState:
    """What is stored of a session's tokens. `salt` made the current one out of the previous one."""

    mark_key: str
    current_hash: str
    previous_hash: str | None
    salt: str | None
    rotated_at_ms: int


def first_token(session_id: str, now: float) -> tuple[RefreshToken, RefreshState]:
    """The token that a login gives."""
    mark_key = new_secret()
    token = RefreshToken(session_id, _marked(new_secret(), mark_key))
    return token, RefreshState(mark_key, digest(token.secret), None, None, int(now * 1000))


def rotate(presented: RefreshToken, state: RefreshState, now: float) -> tuple[RefreshToken, RefreshState]:
    """The successor of the current token, and what to store in the place of `state`."""
    salt = new_secret()
    token = _successor(presented, state.mark_key, salt)
    return token, RefreshState(state.mark_key, digest(token.secret), digest(presented.secret), salt, int(now * 1000))


def repeat(presented: RefreshToken, state: RefreshState) -> RefreshToken:
    """The successor that was answered before to this token, which is the immediate predecessor."""
    return _successor(presented, state.mark_key, state.salt or "")


def judge(presented: RefreshToken, state: RefreshState, grace_seconds: float, now: float) -> Use:
    """What this presentation is.

    `current`: exchange it. `repeated`: the predecessor again, soon enough to be a lost answer or two tabs. `reused`: it
    was good once, so somebody holds a copy. `forged`: it never was.
    """
    presented_hash = digest(presented.secret)
    if hmac.compare_digest(presented_hash, state.current_hash):
        return "current"
    if not hmac.compare_digest(presented.secret, _marked(presented.secret[:-_MARK_LETTERS], state.mark_key)):
        return "forged"
    is_predecessor = hmac.compare_digest(presented_hash, state.previous_hash or "")
    if is_predecessor and now * 1000 - state.rotated_at_ms <= grace_seconds * 1000:
        return "repeated"
    return "reused"


def _successor(presented: RefreshToken, mark_key: str, salt: str) -> RefreshToken:
    return RefreshToken(presented.session_id, _marked(_hmac(presented.secret, salt), mark_key))


def _marked(secret: str, mark_key: str) -> str:
    return secret + _hmac(mark_key, secret)[:_MARK_LETTERS]


def _hmac(key: str, message: str) -> str:
    mac = hmac.digest(key.encode(), message.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")
