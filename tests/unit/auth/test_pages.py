"""What pages are made of, without a browser."""

import base64
import hashlib
from typing import Any

import pytest

from services.auth.domain.users import SCOPES
from services.auth.routes.pages import how_long, in_words, message_page, page


def text_of(**values: object) -> str:
    shown: dict[str, Any] = {
        "client_name": "App",
        "username": "ada",
        "scope": [],
        "note": "",
        "hidden": {},
        "action": "/",
        "form_token": "",
    }
    return bytes(page("consent.html", "Title", how_long="30 days", **{**shown, **values}).body).decode()


def test_every_scope_has_words() -> None:
    assert not [words for words in in_words(SCOPES) if "“" in words]
    assert in_words({"own:scope"}) == ["use what is called “own:scope”"]


def test_the_consent_says_for_how_long() -> None:
    assert "It may go on for 30 days" in text_of()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2_592_000, "30 days"),
        (86_400, "1 day"),
        (86_399, "23 hours"),
        (3600, "1 hour"),
        (120, "2 minutes"),
        (59, "a moment"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: int, words: str) -> None:
    assert how_long(seconds) == words


@pytest.mark.parametrize("name", ["client_name", "username", "note", "action", "form_token"])
def test_nothing_that_was_given_becomes_markup(name: str) -> None:
    shown = text_of(**{name: '"><script>alert(1)</script>'})
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_the_policy_allows_the_style_that_the_page_has_and_nothing_else() -> None:
    response = message_page("Done")
    style = bytes(response.body).decode().partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert response.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
