"""API keys: what a program of a user's shows for an access token. Pure.

A key is `mfk_<name>_<secret>`: the prefix lets scanners find keys that were published, the name finds the row, and of
the secret (256 random bits) only the SHA-256 is stored.
"""

import hmac
import re
from dataclasses import dataclass, field

from services.auth.domain.oauth_errors import InvalidOAuthRequest
from shared.ids import digest, new_id, new_secret

MOST_KEYS = 100
"""Of one user at a time."""

USED_SECONDS = 3600
"""How coarse the time of the last use is: a key that is used all the time is written once an hour."""

_PREFIX = "mfk_"
_ID_PREFIX = "key_"
_KEY_ID = re.compile(r"key_[a-z2-7]{26}\Z")
_FORM = re.compile(r"mfk_([a-z2-7]{26})_([A-Za-z0-9_-]{43})\Z")


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """What the program holds; `str` gives it in full."""

    key_id: str
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, raw_key: str) -> "PresentedKey":
        """Raises InvalidOAuthRequest for what was never one of ours."""
        match = _FORM.match(raw_key)
        if match is None:
            raise InvalidOAuthRequest("This is no API key.")
        return cls(_ID_PREFIX + match[1], match[2])

    def __str__(self) -> str:
        return f"{_PREFIX}{self.key_id.removeprefix(_ID_PREFIX)}_{self.secret}"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A row of `api-keys`. `last_used_at` is behind by `USED_SECONDS` at most. Times are Unix seconds."""

    key_id: str
    user_id: str
    username: str
    name: str
    hash: str = field(repr=False)
    scope: frozenset[str]
    created_at_ms: int
    expires_at: int
    last_used_at: int | None = None
    ended_at_ms: int | None = None

    def is_alive(self, now: float) -> bool:
        return self.ended_at_ms is None and now < self.expires_at

    def is_shown_by(self, presented: PresentedKey) -> bool:
        """Whether this is the key's own secret."""
        return hmac.compare_digest(digest(presented.secret), self.hash)

    def use_is_news(self, now: float) -> bool:
        """Whether a use now is worth being written down."""
        return self.last_used_at is None or now - self.last_used_at >= USED_SECONDS


def may_be_key_id(unverified_id: str) -> bool:
    """Whether `new_api_key` could have made it: nothing else is worth asking the table for."""
    return _KEY_ID.match(unverified_id) is not None


def new_api_key(
    user_id: str, username: str, *, name: str, scope: frozenset[str], expires_at: int, now: float
) -> tuple[ApiKey, PresentedKey]:
    """The key's row, and its only copy."""
    presented = PresentedKey(new_id("key"), new_secret())
    key = ApiKey(
        presented.key_id, user_id, username, name, digest(presented.secret), scope, int(now * 1000), expires_at
    )
    return key, presented
