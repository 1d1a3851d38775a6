"""Which bit of which published list speaks of a token (draft-ietf-oauth-status-list-21). Pure.

A list belongs to one client, one signing key and one window of time, and a bit's place says in which second its token
was issued. So what is revoked up to a second, by client, by key or altogether, is a stretch of bits; no record of the
tokens is needed. docs/explanation/decisions says why it is so and what it costs.
"""

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from shared.tokens.compact import encode_base64url

WINDOW_SECONDS = 512
SLOTS_IN_SECOND = 64
SLOTS_IN_LANE = WINDOW_SECONDS * SLOTS_IN_SECOND
LANES = 16
SLOTS_IN_LIST = LANES * SLOTS_IN_LANE
"""A list has its full length from the beginning: who cached it finds every later token's bit in it."""

_SECOND_BYTES = SLOTS_IN_SECOND // 8
_LANE_BYTES = SLOTS_IN_LANE // 8
_HASH_BYTES = 10
_LIST_ID = re.compile(r"[0-9a-f]{1,9}-[a-z2-7]{16}\Z")
_TOKEN_ID = re.compile(r"tok_([0-9a-f]{1,9}-[a-z2-7]{16})\.([0-9]{1,6})\Z")


MEDIA_TYPE = "application/statuslist+jwt"
TYPE = "statuslist+jwt"
_TTLS_UNTIL_EXPIRY = 3


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old what a reader of a list knows may get, part by part, in seconds.

    `ttl_seconds`: how long the reader keeps it. `feed_seconds`: how late we may hear of a revocation ourselves.
    """

    ttl_seconds: int
    feed_seconds: float
    look_seconds: int = 5
    max_age_seconds: int = 10

    @property
    def max_staleness_seconds(self) -> float:
        """After this long every reader that keeps to `ttl` knows of a revocation, caches between us or not."""
        return self.feed_seconds + self.look_seconds + self.max_age_seconds + self.ttl_seconds

    @property
    def expiry_seconds(self) -> int:
        """Until when it may be relied upon if no new one can be had."""
        return _TTLS_UNTIL_EXPIRY * self.ttl_seconds + self.max_age_seconds


@dataclass(frozen=True)
class StatusList:
    """What all tokens of a list have in common.

    `subject` is their `sub` where they have no session, else None: such a list is found by client alone, and its
    tokens by their sessions. `series` is the next one, for the same, when all lanes of a list are taken.
    """

    client_id: str
    key_id: str
    subject: str | None
    window: int
    series: int = 0

    @cached_property
    def list_id(self) -> str:
        """The window, which tells when a token was issued, and a hash of the rest."""
        text = "\0".join((self.client_id, self.key_id, self.subject or "", str(self.series)))
        hashed = hashlib.sha256(text.encode()).digest()[:_HASH_BYTES]
        return f"{self.window:x}-{base64.b32encode(hashed).decode().lower()}"

    @property
    def starts_at(self) -> int:
        return self.window * WINDOW_SECONDS

    def following(self) -> "StatusList":
        return replace(self, series=self.series + 1)


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one token's bit. No two tokens have the same."""

    list_id: str
    index: int

    @classmethod
    def of(cls, list_id: str, lane: int, issued_at: int, number: int) -> "Slot":
        """`number`: how many tokens of that second the lane holds before this one."""
        return cls(list_id, lane * SLOTS_IN_LANE + issued_at % WINDOW_SECONDS * SLOTS_IN_SECOND + number)

    @classmethod
    def of_token(cls, token_id: str) -> "Slot | None":
        """None: a `jti` of a token that stands in no list."""
        match = _TOKEN_ID.match(token_id)
        if match is None or int(match[2]) >= SLOTS_IN_LIST:
            return None
        return cls(match[1], int(match[2]))

    @property
    def token_id(self) -> str:
        """The `jti`. As the slot is nobody else's, so is this."""
        return f"tok_{self.list_id}.{self.index}"

    @property
    def issued_at(self) -> int:
        """The token's `iat`."""
        window = int(self.list_id.partition("-")[0], 16)
        return window * WINDOW_SECONDS + self.index % SLOTS_IN_LANE // SLOTS_IN_SECOND


def may_be_list_id(unverified_id: str) -> bool:
    """Nothing else is worth asking the table for."""
    return _LIST_ID.match(unverified_id) is not None


def status_claim(slot: Slot, issuer: str) -> dict[str, object]:
    """The token's claim `status` (draft §6.2)."""
    return {"status_list": {"idx": slot.index, "uri": status_list_uri(issuer, slot.list_id)}}


def status_list_uri(issuer: str, list_id: str) -> str:
    return f"{issuer}/oauth2/status-lists/{list_id}"


def compressed(listed: StatusList, *, revoked_up_to: int, revoked: Iterable[int]) -> str:
    """The member `lst` (draft §4.2), one bit a token: those issued up to a second, and those at single places."""
    bits = bytearray(SLOTS_IN_LIST // 8)
    seconds = min(max(revoked_up_to - listed.starts_at + 1, 0), WINDOW_SECONDS)
    for lane in range(LANES if seconds else 0):
        begin, length = lane * _LANE_BYTES, seconds * _SECOND_BYTES
        bits[begin : begin + length] = b"\xff" * length
    for index in revoked:
        bits[index >> 3] |= 1 << (index & 7)
    return encode_base64url(zlib.compress(bits, 9)).decode()


def status_list_claims(issuer: str, list_id: str, lst: str, freshness: Freshness, now: int) -> dict[str, object]:
    """The payload of a Status List Token (draft §5.1)."""
    return {
        "iss": issuer,
        "sub": status_list_uri(issuer, list_id),
        "iat": now,
        "exp": now + freshness.expiry_seconds,
        "ttl": freshness.ttl_seconds,
        "status_list": {"bits": 1, "lst": lst},
    }
