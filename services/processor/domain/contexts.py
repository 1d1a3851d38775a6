"""What is done later carries who asked for it: a transaction token (draft-ietf-oauth-transaction-tokens). Pure.

The processor signs one when it accepts a job, and a worker verifies it before each piece of the work. So the job's
record is not believed: a job that nobody with a token has asked for is not run, whoever wrote it there. A stored
pipeline that runs by itself carries one, too, and each of its jobs one made from it. The caller's own token is in none.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from shared.errors import Problem
from shared.tokens.claims import MAX_LIFETIME_SECONDS, Claims, InvalidToken
from shared.tokens.compact import decode_segment, parse_header, parse_payload, split_token, token_bytes
from shared.tokens.keyset import KeySet
from shared.tokens.revocation import EVERYTHING, Issued, Target
from shared.tokens.signature import SigningKey, sign, verify

CONTEXT_TYPE = "txntoken+jwt"
_SCOPE = "jobs:write"
_WORKLOAD = "processor"


class ContextRefused(Problem):
    """The record of the job has no context of this job that we have signed. None of its work is done."""

    code, status, title = "context-refused", 500, "Nothing proves who asked for the job"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the job's record does not prove who asked for it ({reason}); submit it again under another id"
        )
        self.reason = reason


class ContextExpired(Exception):  # noqa: N818 - it states the fact
    """It was a good one, for `lifetime_seconds`."""

    def __init__(self, lifetime_seconds: int) -> None:
        super().__init__(f"it was good for {lifetime_seconds} s")
        self.lifetime_seconds = lifetime_seconds


@dataclass(frozen=True, slots=True)
class Subject:
    """What a context is about: `txn` names the one thing, `request_sha256` what is asked for."""

    txn: str
    owner: str
    request_sha256: str


@dataclass(frozen=True, slots=True)
class CallersToken:
    """What a revocation could be about of a token that the job goes back to: the caller's, or one exchanged for it."""

    client_id: str
    kid: str
    iat: int

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> "CallersToken":
        return cls(values["client_id"], values["kid"], values["iat"])


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asked, as a context proves; the first of `tokens` is the caller's own."""

    user_id: str
    tokens: Sequence[CallersToken]

    @classmethod
    def of(cls, caller: Claims) -> "Requester":
        own = CallersToken(caller.client_id, caller.kid, caller.iat)
        return cls(caller.sub, (own, *(CallersToken(one.client_id, one.kid, one.iat) for one in caller.parents)))

    @property
    def issued(self) -> tuple[Issued, ...]:
        """All whose revocation ends it. Neither session nor `jti` is there: who logs out leaves their jobs."""
        return tuple(
            Issued(target, token.iat)
            for token in self.tokens
            for target in (
                Target("user", self.user_id),
                Target("client", token.client_id),
                Target("key", token.kid),
                EVERYTHING,
            )
        )


@dataclass(frozen=True, slots=True)
class ContextIssuer:
    """Signs contexts: the draft's transaction token service. A job's lives as long as the job may take."""

    key: SigningKey
    audience: str
    lifetime_seconds: float

    def sign(self, subject: Subject, requester: Requester, issued_at: int, *, lifetime_seconds: float = 0) -> str:
        """The context of what this caller asks for; `issued_at` in Unix seconds. It lives as said, or as a job's."""
        own, *parents = requester.tokens
        claims = {
            **_facts(subject, self.audience),
            "iat": issued_at,
            "exp": issued_at + math.ceil(lifetime_seconds or self.lifetime_seconds),
            "client_id": own.client_id,
            "rctx": {"kid": own.kid, "iat": own.iat, "exchanged_from": [asdict(parent) for parent in parents]},
        }
        return sign({"typ": CONTEXT_TYPE}, claims, self.key)


@dataclass(frozen=True, slots=True)
class ContextTrust:
    """Whose contexts are believed."""

    keys: KeySet
    audience: str

    def verify(self, subject: Subject, raw_context: str, now: float) -> Requester:
        """Who asked for this very thing.

        Raises:
            ContextRefused: the record does not prove it.
            ContextExpired: its time is over.
        """
        try:
            claims = _signed_claims(raw_context, self.keys)
        except InvalidToken as error:
            raise ContextRefused(error.reason) from error
        for name, fact in _facts(subject, self.audience).items():
            if claims.get(name) != fact:
                raise ContextRefused(f"another {name}")
        try:
            _check_times(claims["iat"], claims["exp"], now)
            requester = claims["rctx"]
            own = CallersToken(claims["client_id"], requester["kid"], requester["iat"])
            return Requester(subject.owner, (own, *map(CallersToken.parse, requester["exchanged_from"])))
        except (KeyError, TypeError) as error:
            raise ContextRefused("invalid-claims") from error


def _facts(subject: Subject, audience: str) -> dict[str, object]:
    """What a context says of its subject: signed once, and compared with the record each time."""
    return {
        "iss": audience,
        "aud": audience,
        "req_wl": _WORKLOAD,
        "txn": subject.txn,
        "sub": subject.owner,
        "scope": _SCOPE,
        "tctx": {"request_sha256": subject.request_sha256},
    }


def _check_times(issued: int, expires: int, now: float) -> None:
    """A context from a clock that is ahead of ours is as good as any: a job that was accepted is not lost by that."""
    if expires - issued > MAX_LIFETIME_SECONDS:
        raise ContextRefused("invalid-claims")
    if now >= expires:
        raise ContextExpired(expires - issued)


def _signed_claims(raw_context: str, keys: KeySet) -> dict[str, Any]:
    """Raises InvalidToken: it is no context, or none of these keys has signed it."""
    signing_input, header, payload, signature = split_token(token_bytes(raw_context))
    kid, algorithm = parse_header(header, CONTEXT_TYPE)
    key = keys.find(kid)
    if key is None:
        raise InvalidToken("unknown-key")
    if key.alg != algorithm:
        raise InvalidToken("unsupported-algorithm")
    if not verify(key, signing_input, decode_segment(signature)):
        raise InvalidToken("bad-signature")
    return parse_payload(payload)
