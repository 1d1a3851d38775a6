"""Errors below `/oauth2/`: RFC 6749 §5.2 says what they look like, so they are no problem documents."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from services.auth.domain.oauth_errors import InvalidClient, OAuthError
from shared.errors import InvalidRequest, Problem, Unavailable
from shared.telemetry.logs import get_logger
from shared.web.problems import retry_after

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
log = get_logger(__name__)


class OAuthRoute(APIRoute):
    """Answers OAuthError as the RFC says; a request that can't be read, and an outage, in the same shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_explain(request: Request) -> Response:
            try:
                return await handle(request)
            except OAuthError as error:
                return _refusal(error)
            except InvalidRequest as error:
                return _answer("invalid_request", error.detail, 400)
            except Unavailable as error:
                log.warning("dependency_unavailable", detail=error.detail, cause=repr(error.__cause__))
                return _answer("temporarily_unavailable", error.detail, error.status, retry_after(error))

        return handle_or_explain


def oauth_responses(*kinds: type[OAuthError] | type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an OAuth route."""
    descriptions: dict[int | str, list[str]] = {}
    for kind in kinds:
        code = kind.error if issubclass(kind, OAuthError) else "temporarily_unavailable"
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
    # §5.2 allows printable ASCII without quotation mark and backslash.
    text = description.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "/")
    body = {"error": error, "error_description": text}
    return JSONResponse(body, status_code=status, headers=NO_STORE | (headers or {}))


_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "examples": ["invalid_grant"]},
        "error_description": {"type": "string"},
    },
}
