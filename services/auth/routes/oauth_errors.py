"""Errors below `/oauth2/`: RFC 6749 §5.2 says what they look like, so they are no problem documents."""

import json
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.auth.domain.oauth_errors import InvalidClient, OAuthError, in_ascii
from services.auth.routes.pages import problem_page
from shared.errors import Problem
from shared.telemetry.logs import get_logger
from shared.web.problems import MEDIA_TYPE as PROBLEM

PREFIX = "/oauth2"
AUTHORIZE, DEVICE = f"{PREFIX}/authorize", f"{PREFIX}/device"
PAGES = {AUTHORIZE, DEVICE}
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
log = get_logger(__name__)


class OAuthRoute(APIRoute):
    """Answers OAuthError as the RFC says."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_explain(request: Request) -> Response:
            try:
                return await handle(request)
            except OAuthError as error:
                return _refusal(error)

        return handle_or_explain


class OAuthShape:
    """The outermost ASGI middleware: below `/oauth2/` a problem document becomes what OAuth's clients can read.

    Where people are led, it becomes a page.
    It stands outside because limits, unknown paths and bugs are answered before or after the routes. Status and headers
    stay as they are, so a `Retry-After` or an `Allow` does.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX + "/"):
            send = _Reshaped(send, for_people=scope["path"] in PAGES).send
        await self.app(scope, receive, send)


class _Reshaped:
    """One answer. A problem document is held back until it is complete; anything else goes on as it comes."""

    def __init__(self, send: Send, *, for_people: bool) -> None:
        self._send = send
        self._for_people = for_people
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _media_type(message) == PROBLEM:
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_reshaped(self._start)

    async def _send_reshaped(self, start: Message) -> None:
        status, problem = start["status"], json.loads(self._body)
        for_program = _answer(_error_of(status), problem["detail"], status)
        answer = problem_page(problem) if self._for_people else for_program
        replaced = {name for name, _ in answer.raw_headers}
        kept = [(name, value) for name, value in start["headers"] if name not in replaced]
        await self._send({**start, "headers": [*kept, *answer.raw_headers]})
        await self._send({"type": "http.response.body", "body": answer.body})


def _media_type(start: Message) -> str:
    headers: dict[bytes, bytes] = dict(start.get("headers", []))
    return headers.get(b"content-type", b"").decode("latin-1")


def _error_of(status: int) -> str:
    """§5.2 has no words for a server that fails or has too much to do; these two are of §4.1.2.1."""
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        return "temporarily_unavailable"
    return "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request"


def oauth_responses(*kinds: type[OAuthError] | type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an OAuth route."""
    descriptions: dict[int | str, list[str]] = {}
    for kind in kinds:
        code = kind.error if issubclass(kind, OAuthError) else _error_of(kind.status)
        descriptions.setdefault(kind.status, []).append(f"`{code}`")
    return {
        status: {"description": ", ".join(codes), "content": {"application/json": {"schema": _SCHEMA}}}
        for status, codes in descriptions.items()
    }


def _refusal(error: OAuthError) -> Response:
    log.info("oauth_request_refused", error=error.error, description=error.description)
    challenge = isinstance(error, InvalidClient) and error.by_header
    headers = {"WWW-Authenticate": 'Basic realm="mayfly", charset="UTF-8"'} if challenge else {}
    return _answer(error.error, error.description, error.status, headers)


def _answer(error: str, description: str, status: int, headers: dict[str, str] | None = None) -> Response:
    body = {"error": error, "error_description": in_ascii(description)}
    return JSONResponse(body, status_code=status, headers=NO_STORE | (headers or {}))


_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "examples": ["invalid_grant"]},
        "error_description": {"type": "string"},
    },
}
