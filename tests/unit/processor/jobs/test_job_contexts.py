"""A job's context proves who asked for this very job, or nothing."""

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.processor.domain.contexts import (
    CONTEXT_TYPE,
    CallersToken,
    ContextExpired,
    ContextIssuer,
    ContextRefused,
    ContextTrust,
    Requester,
)
from services.processor.domain.job_contexts import check_plan
from services.processor.domain.job_names import JobKey, JobRequest
from services.processor.domain.jobs import Job
from services.processor.domain.stored_pipelines import StoredPipeline
from services.processor.domain.triggers import ScheduleTrigger
from shared.testing.tokens import TokenFactory, new_signing_key
from shared.tokens.claims import Claims, Parent
from shared.tokens.compact import ACCESS_TOKEN_TYPE, decode_base64url, encode_base64url
from shared.tokens.keyset import KeySet, public_jwks
from shared.tokens.revocation import EVERYTHING, Issued, Target
from shared.tokens.signature import sign, sign_bytes
from tests.unit.processor.jobs.test_progress import PLAN

NOW = 1_000_000
KEY, PREVIOUS = new_signing_key("ES256"), new_signing_key("ES256")
ISSUER = ContextIssuer(KEY, "mayfly", 3600)
TRUST = ContextTrust(KeySet.parse(public_jwks([KEY, PREVIOUS])), "mayfly")
CLAIMS = Claims(
    *("iss", "usr_ada", ("mayfly",), "cli_1", "tok_1", NOW - 60, None, NOW + 840, frozenset({"jobs:write"})),
    *("ses_1", (), (), "ada", "key_1"),
)
BARE = Job(JobKey("usr_ada", "j"), JobRequest("test", {"stamp": False}), NOW * 1000 + 999)


def signed(issuer: ContextIssuer, caller: Claims) -> str:
    return issuer.sign(BARE.subject, Requester.of(caller), NOW)


def verified(job: Job, now: float) -> Requester:
    return TRUST.verify(job.subject, job.context, now)


JOB = replace(BARE, context=signed(ISSUER, CLAIMS))


def payload_of(context: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(decode_base64url(context.split(".")[1].encode()))
    return claims


def carrying(context: str) -> Job:
    return replace(BARE, context=context)


def changed(**claims: object) -> Job:
    """The job with a context that our key has signed, and that says something else. None takes the claim out."""
    said = {name: value for name, value in (payload_of(JOB.context) | claims).items() if value is not None}
    return carrying(sign({"typ": CONTEXT_TYPE}, said, KEY))


def reason(job: Job, now: float = NOW) -> str:
    with pytest.raises(ContextRefused) as refused:
        verified(job, now)
    assert refused.value.reason in refused.value.detail
    return refused.value.reason


def test_a_context_says_what_the_draft_asks_for_and_holds_nothing_of_the_token_itself() -> None:
    assert payload_of(JOB.context) == {
        "iss": "mayfly",
        "aud": "mayfly",
        "txn": "jobs/usr_ada/j/",
        "sub": "usr_ada",
        "req_wl": "processor",
        "scope": "jobs:write",
        "iat": NOW,
        "exp": NOW + 3600,
        "client_id": "cli_1",
        "tctx": {"request_sha256": BARE.request.fingerprint},
        "rctx": {"kid": "key_1", "iat": NOW - 60, "exchanged_from": []},
    }


def test_its_own_job_is_believed_until_its_time_is_over() -> None:
    own = Requester("usr_ada", (CallersToken("cli_1", "key_1", NOW - 60),))
    assert verified(JOB, NOW - 600) == verified(JOB, NOW + 3599.9) == own
    with pytest.raises(ContextExpired, match="3600 s"):
        verified(JOB, NOW + 3600)


def test_a_context_of_the_key_before_is_believed() -> None:
    assert verified(carrying(signed(replace(ISSUER, key=PREVIOUS), CLAIMS)), NOW).user_id == "usr_ada"


def test_what_a_revocation_could_be_about_is_all_but_the_session_and_the_token_alone() -> None:
    child = CLAIMS._replace(parents=(Parent("tok_0", "cli_0", NOW - 90, "key_0"),))
    caller = verified(carrying(signed(ISSUER, child)), NOW)
    assert caller.issued == tuple(
        Issued(target, at)
        for at, client, key in ((NOW - 60, "cli_1", "key_1"), (NOW - 90, "cli_0", "key_0"))
        for target in (Target("user", "usr_ada"), Target("client", client), Target("key", key), EVERYTHING)
    )


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "http://127.0.0.1:8001"),
        ("aud", "another"),
        ("aud", ["mayfly"]),
        ("txn", "jobs/usr_ada/k/"),
        ("sub", "usr_bob"),
        ("scope", "jobs:read"),
        ("scope", ""),
        ("req_wl", "worker"),
        ("tctx", {"request_sha256": "0" * 64}),
        *((name, None) for name in ("iss", "aud", "txn", "sub", "scope", "tctx")),
    ],
)
def test_each_fact_is_that_of_the_job(claim: str, value: object) -> None:
    assert reason(changed(**{claim: value})) == f"another {claim}"


@pytest.mark.parametrize(
    "job",
    [
        replace(JOB, key=JobKey("usr_bob", "j")),
        replace(JOB, key=JobKey("usr_ada", "k")),
        replace(JOB, request=JobRequest("s3://data/inputs/usr_bob/secret.csv", {"stamp": False})),
        replace(JOB, request=JobRequest("test", {"stamp": True})),
    ],
)
def test_a_context_is_good_for_no_other_job(job: Job) -> None:
    assert reason(job).startswith("another ")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW + 86_401},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"client_id": None},
        {"rctx": None},
        {"rctx": []},
        {"rctx": {"kid": "key_1", "iat": NOW}},
        {"rctx": {"kid": "key_1", "iat": NOW, "exchanged_from": [{"kid": "key_0"}]}},
    ],
)
def test_a_claim_that_is_missing_or_wrong_is_refused(claims: dict[str, object]) -> None:
    assert reason(changed(**claims)) == "invalid-claims"


def with_header(algorithm: str, secret: bytes | None = None) -> Job:
    header = json.dumps({"typ": CONTEXT_TYPE, "alg": algorithm, "kid": KEY.kid}).encode()
    text = b".".join(encode_base64url(part) for part in (header, json.dumps(payload_of(JOB.context)).encode()))
    signature = hmac.new(secret, text, hashlib.sha256).digest() if secret else sign_bytes(KEY, text)
    return carrying(b".".join((text, encode_base64url(signature))).decode())


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_context_is_signed_by_no_secret_and_not_without_a_key(encoding: Encoding) -> None:
    public = KEY.prepared.prepared_key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    assert reason(with_header("HS256", public)) == "unsupported-algorithm"
    assert reason(with_header("ES256", public)) == "bad-signature"
    assert reason(with_header("none")) == "unsupported-algorithm"
    assert reason(with_header("RS256")) == "unsupported-algorithm"


def test_an_access_token_is_no_context_nor_is_what_a_stranger_signs() -> None:
    tokens, claims = TokenFactory(alg="ES256"), payload_of(JOB.context)
    assert reason(carrying(tokens.mint(sub="usr_ada"))) == "wrong-type"
    assert reason(carrying(sign({"typ": ACCESS_TOKEN_TYPE}, claims, KEY))) == "wrong-type"
    assert reason(carrying(sign({"typ": "JWT"}, claims, KEY))) == "wrong-type"
    assert reason(carrying(sign({"typ": CONTEXT_TYPE}, claims, new_signing_key("ES256")))) == "unknown-key"
    assert reason(carrying(sign({"typ": CONTEXT_TYPE}, claims, new_signing_key("ES256", KEY.kid)))) == "bad-signature"


@pytest.mark.parametrize("context", ["", "x", "a.b.c", JOB.context + "x", JOB.context[:-4], "é", "a" * 5000])
def test_what_is_no_token_is_refused(context: str) -> None:
    assert reason(carrying(context)) in {"malformed", "too-long", "bad-signature", "unsupported-header"}


def test_a_plan_is_that_of_the_request() -> None:
    check_plan(PLAN, BARE)
    with pytest.raises(ContextRefused, match="plan"):
        check_plan(replace(PLAN, request_sha256="0" * 64), BARE)


def test_the_context_of_a_pipeline_is_that_of_no_job_and_of_no_other_pipeline() -> None:
    stored = StoredPipeline("usr_ada", "j", BARE.request, NOW * 1000, (ScheduleTrigger("rate(1 day)"),))
    context = ISSUER.sign(stored.subject, Requester.of(CLAIMS), NOW)
    assert TRUST.verify(stored.subject, context, NOW).user_id == "usr_ada"
    others = (
        BARE,
        replace(stored, name="k"),
        replace(stored, owner="usr_bob"),
        replace(stored, request=JobRequest("test", {})),
        replace(stored, triggers=(ScheduleTrigger("rate(1 minute)"),)),
    )
    for other in others:
        with pytest.raises(ContextRefused):
            TRUST.verify(other.subject, context, NOW)
