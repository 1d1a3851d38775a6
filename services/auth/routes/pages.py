"""Pages for people: no scripts, nothing from elsewhere, nothing kept by the browser."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.auth.domain.users import ADMIN_SCOPE

MEDIA_TYPE = "text/html"
_TEMPLATES = Path(__file__).parent / "templates"
_WORDS: Mapping[str, str] = {
    "jobs:read": "see your jobs and their results",
    "jobs:write": "upload data, start jobs and cancel them",
    ADMIN_SCOPE: "administer this system: its users, its clients, and what is revoked",
}


def page(
    template: str,
    title: str,
    *,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    form_targets: Iterable[str] = (),
    **values: object,
) -> HTMLResponse:
    """`form_targets`: where, besides here, the answer to a form may lead (CSP source expressions)."""
    text = _environment().get_template(template).render(title=title, style=_style(), **values)
    return HTMLResponse(text, status, headers={**_security(form_targets), **(headers or {})})


def message_page(
    title: str,
    *paragraphs: str,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    trace_id: str = "",
) -> HTMLResponse:
    """What has ended, well or not."""
    return page("message.html", title, status=status, headers=headers, paragraphs=paragraphs, trace_id=trace_id)


def problem_page(problem: Mapping[str, Any]) -> HTMLResponse:
    """A problem document, for people."""
    return message_page(problem["title"], problem["detail"], status=problem["status"], trace_id=problem["trace_id"])


def in_words(scope: Iterable[str]) -> list[str]:
    """What the scopes let a client do, in an order that stays."""
    return [_WORDS.get(name, f"use what is called “{name}”") for name in sorted(scope)]


def how_long(seconds: int) -> str:
    """As people say it, rounded down: "30 days"."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}" + ("s" if number > 1 else "")
    return "a moment"


def _security(form_targets: Iterable[str]) -> dict[str, str]:
    allowed = " ".join(["'self'", *form_targets])
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src '{_style_hash()}'; img-src data:; "
        f"form-action {allowed}; base-uri 'none'; frame-ancestors 'none'",
        "X-Frame-Options": "DENY",
        # With `no-referrer` browsers would send `Origin: null` with our own forms.
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> str:
    return (_TEMPLATES / "style.css").read_text(encoding="utf-8")


@cache
def _style_hash() -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
