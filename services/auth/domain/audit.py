"""What is written down of each security decision: who did what, to whom, from where, how it ended, and why.

An event can't hold a secret. Its fields are names and ids; there is none for text that a stranger typed, so a password
has no place. And what all our other secrets have in common, a long run of random letters, is cut in whatever is given.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from shared.tokens.claims import Caller

Outcome: TypeAlias = Literal["succeeded", "refused"]

EventName: TypeAlias = Literal[
    "api-key-creation",
    "api-key-deletion",
    "api-key-use",
    "authorization",
    "authorization-code",
    "authorization-code-reuse",
    "browser-login",
    "device-authorization",
    "device-code",
    "device-code-reuse",
    "user-code",
    "client-authentication",
    "client-change",
    "client-creation",
    "client-deletion",
    "client-secret-creation",
    "client-secret-deletion",
    "client-token",
    "key-distrust",
    "key-rotation",
    "login",
    "logout",
    "password-change",
    "refresh-token-reuse",
    "revocation",
    "session-end",
    "sessions-end",
    "token-exchange",
    "token-introspection",
    "token-refresh",
    "token-revocation",
    "user-change",
    "user-creation",
    "user-deletion",
]

MEANINGS: Mapping[EventName, str] = {
    "api-key-creation": "A user made an API key.",
    "api-key-deletion": "An API key was ended, with the tokens that it gave.",
    "api-key-use": "An API key was exchanged for an access token.",
    "authorization": "A user let a client in at the consent page, or did not.",
    "authorization-code": "A client exchanged the code that its user brought: a session began.",
    "authorization-code-reuse": "A code came a second time: somebody has a copy. The session that it began ended.",
    "browser-login": "Somebody logged in at auth's own pages.",
    "device-authorization": "A user let a device in, or did not.",
    "device-code": "A device exchanged its code after its user had let it in: a session began.",
    "device-code-reuse": "A device code came a second time: somebody has a copy. The session that it began ended.",
    "user-code": "A user entered a device's code that does not exist, or too many.",
    "client-authentication": "A client said who it is, and did not prove it.",
    "client-change": "An administrator changed what a client is registered for.",
    "client-creation": "An administrator registered a client.",
    "client-deletion": "An administrator deleted a client and ended its tokens.",
    "client-secret-creation": "An administrator gave a client a new secret.",
    "client-secret-deletion": "An administrator ended a secret of a client.",
    "client-token": "A client asked for a token of its own (`client_credentials`).",
    "key-distrust": "An administrator had a signing key distrusted, and with it all that it signed.",
    "key-rotation": "An administrator had the next key sign.",
    "login": "Somebody tried a username and a password. Of a user who does not exist nothing typed is kept.",
    "logout": "A caller ended the session, or the token, that it came with.",
    "password-change": "A user changed their password, which asks for the present one, and ended their other sessions.",
    "refresh-token-reuse": "A refresh token came back after its grace: somebody has a copy. Its session ended.",
    "revocation": "An administrator revoked tokens by name.",
    "session-end": "A user ended one of their sessions.",
    "sessions-end": "A user ended all of their sessions.",
    "token-exchange": "A client exchanged a token for a narrower one (RFC 8693).",
    "token-introspection": "A client asked about a token that is not its to know of, or may not introspect at all.",
    "token-refresh": "A refresh token was used.",
    "token-revocation": "A client gave back a token (RFC 7009).",
    "user-change": "A user was changed: `changed` says in what; a reset of the password is `password`.",
    "user-creation": "An administrator made a user.",
    "user-deletion": "An administrator deleted a user.",
}
"""Every event; docs/reference/audit.md is made from here."""

DetailName: TypeAlias = Literal[
    "audience",
    "changed",
    "disabled",
    "expires_at",
    "jti",
    "key_id",
    "kind",
    "overlap_seconds",
    "permissions",
    "roles",
    "scope",
    "secret_id",
    "session_id",
    "use",
    "value",
    "wait_seconds",
]
Detail: TypeAlias = str | int | Sequence[str]
Details: TypeAlias = Mapping[DetailName, Detail]

_LONGEST = 200
_SHOWN = 8
_LIKE_A_SECRET = re.compile(r"[A-Za-z0-9_-]{40,}")
"""256 random bits have 43 letters in base64url. Ids of ours have 26 and a prefix."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """`actor`: who it was, as proven (a user's or a client's id); None for a stranger.

    `subject`: whom or what it was done to. `client_id`: through which client. `reason`: why it was refused, or why it
    was done. Where from, when and in which trace is added by the trail.
    """

    event: EventName
    outcome: Outcome
    actor: str | None = None
    subject: str | None = None
    client_id: str | None = None
    reason: str | None = None
    details: Details = field(default_factory=dict)

    @classmethod
    def by(
        cls,
        caller: Caller,
        event: EventName,
        outcome: Outcome = "succeeded",
        *,
        subject: str | None = None,
        reason: str | None = None,
        details: Details | None = None,
    ) -> "AuditEvent":
        """What a caller did; to itself, where no subject is given."""
        who = caller.user_id
        return cls(event, outcome, who, subject or who, caller.client_id, reason, details or {})

    def __post_init__(self) -> None:
        for name in ("actor", "subject", "client_id", "reason"):
            text = getattr(self, name)
            object.__setattr__(self, name, None if text is None else _plain(text))
        object.__setattr__(self, "details", {name: _clean(detail) for name, detail in self.details.items()})


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event as it stands in the trail. `position` sorts by time, and no two entries share one."""

    audit_id: str
    at_ms: int
    address: str | None
    trace_id: str
    event: AuditEvent

    @property
    def position(self) -> str:
        return f"{self.at_ms:013d}#{self.audit_id}"


def _clean(detail: Detail) -> Detail:
    if isinstance(detail, str):
        return _plain(detail)
    return detail if isinstance(detail, int) else [_plain(text) for text in detail]


def _plain(text: str) -> str:
    """Printable, short, without what may be a secret: of that only the first letters stay, which tell keys apart."""
    printable = text if text.isprintable() else "".join(letter for letter in text if letter.isprintable())
    return _LIKE_A_SECRET.sub(lambda found: found[0][:_SHOWN] + "…", printable[:_LONGEST])
