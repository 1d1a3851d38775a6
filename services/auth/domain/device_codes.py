"""Device authorization (RFC 8628): a device shows a code, its user enters it at auth's page. Pure."""

import re
import secrets
from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.auth.domain.consents import Consent
from services.auth.domain.oauth_errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidGrant,
    OAuthError,
    SlowDown,
)
from services.auth.domain.sessions import Origin
from shared.ids import digest, new_secret

GOOD_SECONDS = 600
INTERVAL_SECONDS = 5

_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # §6.1: no vowels, so no words; nothing that is taken for something else
_LETTERS = 8
_NOT_LETTERS = re.compile(r"[\s\u002d\u2010-\u2015]")
_DEVICE_CODE = re.compile(r"([0-9a-f]{64})\.([A-Za-z0-9_-]{43})\Z")

Decision: TypeAlias = Literal["pending", "allowed", "denied"]


@dataclass(frozen=True, slots=True)
class UserCode:
    """Eight letters of twenty: 34 bits, for ten minutes, behind a login and a limit of tries."""

    letters: str

    @classmethod
    def new(cls) -> "UserCode":
        return cls("".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS)))

    @classmethod
    def parse(cls, raw_code: str) -> "UserCode | None":
        """As people type it: capitals, spaces and hyphens don't matter. None for what can be no code."""
        letters = _NOT_LETTERS.sub("", raw_code[:64]).upper()
        return cls(letters) if len(letters) == _LETTERS and set(letters) <= set(_ALPHABET) else None

    @property
    def code_hash(self) -> str:
        """Under which it is stored."""
        return digest(self.letters)

    def __str__(self) -> str:
        return f"{self.letters[:4]}-{self.letters[4:]}"


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What the device asks with: it names the row, and proves that it was given to this device."""

    code_hash: str
    secret: str

    @classmethod
    def parse(cls, raw_code: str) -> "DeviceCode":
        """Raises InvalidGrant for what was never one of ours."""
        match = _DEVICE_CODE.match(raw_code)
        if match is None:
            raise InvalidGrant("This is no device code.")
        return cls(match[1], match[2])

    def __str__(self) -> str:
        return f"{self.code_hash}.{self.secret}"

    def __repr__(self) -> str:
        return "DeviceCode()"


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """A row of `device-authorizations`; of both codes only the SHA-256 is kept.

    `origin`: where the device is, as far as it can be known. `consent`: once a user has allowed it. `session_id`: it
    was exchanged, and began this session. `asked_at_ms`: when the device asked last.
    """

    code_hash: str
    secret_hash: str
    client_id: str
    scope: frozenset[str]
    origin: Origin
    good_until: int
    interval_seconds: int = INTERVAL_SECONDS
    asked_at_ms: int = 0
    decision: Decision = "pending"
    consent: Consent | None = None
    session_id: str | None = None

    def is_open(self, now: float) -> bool:
        """Whether a user can still decide."""
        return self.decision == "pending" and now <= self.good_until


def new_device_authorization(
    client_id: str, scope: frozenset[str], origin: Origin, now: float
) -> tuple[UserCode, DeviceCode, DeviceAuthorization]:
    """The only copies of the two codes, and what to store."""
    user_code, secret = UserCode.new(), new_secret()
    row = DeviceAuthorization(user_code.code_hash, digest(secret), client_id, scope, origin, int(now) + GOOD_SECONDS)
    return user_code, DeviceCode(user_code.code_hash, secret), row


def waiting(row: DeviceAuthorization, now: float) -> OAuthError | None:
    """What a device is told that has nothing to get yet, or never will (§3.5); None: the user has allowed it."""
    if row.decision == "denied":
        return AccessDenied("The user said no.")
    if now > row.good_until:
        return ExpiredToken("Nobody decided in time. Begin again.")
    if row.decision == "allowed":
        return None
    if now * 1000 - row.asked_at_ms < row.interval_seconds * 1000:
        return SlowDown(f"Ask every {row.interval_seconds + INTERVAL_SECONDS} seconds from now on.")
    return AuthorizationPending("The user has not decided yet.")
