"""A job carries its caller as a signed context: a transaction token (draft-ietf-oauth-transaction-tokens). Pure.

The processor signs it when it accepts the job, and a worker verifies it before each piece of the work. So the job's
record is not believed: a job that nobody with a token has asked for is not run, whoever wrote it there. The caller's
own token is not in it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.processor.domain.jobs import Job
from services.processor.domain.plans import Plan
from services.processor.domain.results import JobCancelled
from services.processor.domain.work_errors import WaitedTooLong
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


class CallerRevoked(JobCancelled):
    """The caller was revoked after the job had been accepted: its user, its client, the key of its token, or all."""

    code, title = "caller-revoked", "The caller of the job was revoked"

    def __init__(self) -> None:
        super().__init__("its caller was revoked after it had been accepted")


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
class JobCaller:
    """Who asked for a job, as its context proves; the first of `tokens` is the caller's own."""

    user_id: str
    tokens: Sequence[CallersToken]

    @property
    def issued(self) -> tuple[Issued, ...]:
        """All whose revocation ends the job. Neither session nor `jti` is there: who logs out leaves their jobs."""
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
    """Signs contexts: the draft's transaction token service. They live as long as a job may take."""

    key: SigningKey
    audience: str
    lifetime_seconds: float

    def sign(self, job: Job, caller: Claims) -> str:
        """The context of a job that this caller asks for."""
        issued = job.submitted_at_ms // 1000
        parents = [{"client_id": one.client_id, "kid": one.kid, "iat": one.iat} for one in caller.parents]
        claims = {
            **_facts(job, self.audience),
            "iat": issued,
            "exp": issued + math.ceil(self.lifetime_seconds),
            "client_id": caller.client_id,
            "rctx": {"kid": caller.kid, "iat": caller.iat, "exchanged_from": parents},
        }
        return sign({"typ": CONTEXT_TYPE}, claims, self.key)


@dataclass(frozen=True, slots=True)
class ContextTrust:
    """Whose contexts are believed."""

    keys: KeySet
    audience: str

    def verify(self, job: Job, now: float) -> JobCaller:
        """Who asked for this very job.

        Raises:
            ContextRefused: the record does not prove it.
            WaitedTooLong: its time is over.
        """
        try:
            claims = _signed_claims(job.context, self.keys)
        except InvalidToken as error:
            raise ContextRefused(error.reason) from error
        for name, fact in _facts(job, self.audience).items():
            if claims.get(name) != fact:
                raise ContextRefused(f"another {name}")
        try:
            _check_times(claims["iat"], claims["exp"], now)
            requester = claims["rctx"]
            own = CallersToken(claims["client_id"], requester["kid"], requester["iat"])
            return JobCaller(job.key.owner, (own, *map(CallersToken.parse, requester["exchanged_from"])))
        except (KeyError, TypeError) as error:
            raise ContextRefused("invalid-claims") from error


def check_plan(plan: Plan, job: Job) -> None:
    """Raises ContextRefused: it is the plan of another request than the one that the caller made."""
    if plan.request_sha256 != job.request.fingerprint:
        raise ContextRefused("the plan of another request")


def _facts(job: Job, audience: str) -> dict[str, object]:
    """What a context says of its job: signed once, and compared with the record each time."""
    return {
        "iss": audience,
        "aud": audience,
        "req_wl": _WORKLOAD,
        "txn": job.key.folder,
        "sub": job.key.owner,
        "scope": _SCOPE,
        "tctx": {"request_sha256": job.request.fingerprint},
    }


def _check_times(issued: int, expires: int, now: float) -> None:
    """A context from a clock that is ahead of ours is as good as any: a job that was accepted is not lost by that."""
    if expires - issued > MAX_LIFETIME_SECONDS:
        raise ContextRefused("invalid-claims")
    if now >= expires:
        raise WaitedTooLong(f"the job was not done within {expires - issued} s; submit it again under another id")


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
