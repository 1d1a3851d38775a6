"""An audit event tells who did what, and can't hold a secret."""

import json
from dataclasses import asdict
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.audit import MEANINGS, AuditEvent, EventName
from services.auth.domain.refresh import first_token
from shared.ids import digest, new_id, new_secret

SECRETS = [
    new_secret(),
    digest("x"),
    str(first_token(new_id("ses"), 1.0)[0]),
    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ1c2VyX2FsaWNlIiwiaWF0IjoxNzk1NTYwMTQ0fQ.c2lnbmF0dXJlLXdpdGgtNjQtYnl0ZXM",
]


def _everywhere(text: str) -> AuditEvent:
    details = {"kind": text, "scope": [text, text]}
    return AuditEvent(
        "login",
        "refused",
        actor=text,
        subject=text,
        client_id=text,
        reason=text,
        details=details,  # type: ignore[arg-type]  # as a mistake would have it
    )


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
@pytest.mark.parametrize("around", ["{}", "Bearer {}", "token={}&x=1", "https://a:{}@b/"])
def test_no_field_holds_a_secret(secret: str, around: str) -> None:
    text = json.dumps(asdict(_everywhere(around.format(secret))))
    parts = [part for part in secret.split(".") if len(part) >= 40]
    assert parts
    assert not [part for part in parts if part[8:] in text]


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=40, max_size=3000))
def test_of_any_long_random_run_only_the_first_letters_stay(secret: str) -> None:
    event = _everywhere(secret)
    assert event.actor == secret[:8] + "…"
    assert event.details["scope"] == [secret[:8] + "…"] * 2


@given(st.text())
def test_whatever_is_given_becomes_short_and_printable(text: str) -> None:
    subject = _everywhere(text).subject
    assert subject is not None
    assert len(subject) <= 200
    assert subject.isprintable()


@pytest.mark.parametrize(
    "plain", [new_id("user"), new_id("ses"), "user_alice", "demo-service", "jobs:read"], ids=range(5)
)
def test_ids_and_names_stay_as_they_are(plain: str) -> None:
    assert _everywhere(plain).subject == plain
    assert _everywhere(plain).details["kind"] == plain


def test_numbers_stay_numbers() -> None:
    assert AuditEvent("login", "refused", details={"wait_seconds": 3}).details == {"wait_seconds": 3}


def test_every_event_has_a_meaning_and_none_has_two() -> None:
    assert sorted(MEANINGS) == sorted(get_args(EventName))
    assert len(set(MEANINGS.values())) == len(MEANINGS)
