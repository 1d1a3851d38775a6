"""Errors as `application/problem+json` (RFC 9457): one shape for ours, FastAPI's and the unexpected ones."""

import json
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from shared.errors import FieldError, InvalidRequest, Problem, Unavailable, ValidationFailed
from shared.telemetry.context import current_trace
from shared.telemetry.logs import get_logger
from shared.web.validation import field_errors

MEDIA_TYPE = "application/problem+json"
SCHEMA = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "code", "trace_id"],
    "examples": [
        {
            "type": "urn:mayfly:problem:validation-failed",
            "title": "The request is not valid",
            "status": 422,
            "detail": "/username: is missing; send it",
            "code": "validation-failed",
            "errors": [{"pointer": "/username", "detail": "is missing; send it"}],
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        }
    ],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong here, and the remedy."},
        "code": {"type": "string", "description": "Names the kind of problem; stable."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "trace_id": {"type": "string", "description": "Find this request in the logs by it."},
    },
}
_MOST_ERRORS = 20
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
log = get_logger(__name__)


def problem_response(problem: Problem) -> Response:
    """The answer for a problem: its members, `Retry-After` where it has one, its headers."""
    return _response(
        problem.status,
        problem.code,
        problem.title,
        problem.detail,
        errors=problem.errors,
        extensions=problem.extensions,
        headers=problem.headers | retry_after(problem),
    )


def retry_after(problem: Problem) -> dict[str, str]:
    """The `Retry-After` header (whole seconds, at least 1), where the problem says when to come back."""
    if problem.retry_after_seconds is None:
        return {}
    return {"Retry-After": str(max(1, math.ceil(problem.retry_after_seconds)))}


def problem_responses(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route: the problems that it really answers with, for its documentation."""
    by_status: dict[int | str, list[type[Problem]]] = {}
    for problem in problems:
        by_status.setdefault(problem.status, []).append(problem)
    return {
        status: {
            "description": "; ".join(f"{kind.title} (`{kind.code}`)" for kind in kinds),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, kinds in by_status.items()
    }


def install_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


async def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for it
    if isinstance(error, Unavailable):
        log.warning("dependency_unavailable", detail=error.detail, cause=repr(error.__cause__))
    return problem_response(error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    details = error.errors()
    if any(detail["type"] == "json_invalid" for detail in details):
        return problem_response(InvalidRequest("The body is not valid JSON. Send an object in UTF-8."))
    if details[0]["loc"] == ("body",) and isinstance(error.body, bytes):
        detail = "Content-Type: the body was not read as JSON; send it with `Content-Type: application/json`"
        return problem_response(ValidationFailed(detail, errors=[FieldError("Content-Type", detail)]))
    errors = field_errors(error, _members_of_body(request))
    first = errors[0]
    detail = f"{first.pointer or 'the body'}: {first.detail}"
    return problem_response(ValidationFailed(detail, errors=errors[:_MOST_ERRORS]))


def _members_of_body(request: Request) -> list[str]:
    """What the body of this route may have, where it is an object of ours."""
    field = getattr(request.scope.get("route"), "body_field", None)
    annotation = field.field_info.annotation if field else None
    models = [kind for kind in (annotation, *get_args(annotation)) if hasattr(kind, "model_fields")]
    return [info.alias or name for model in models for name, info in model.model_fields.items()]


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if isinstance(error.__cause__, Problem):
        return problem_response(error.__cause__)
    status = HTTPStatus(error.status_code)
    if status == HTTPStatus.BAD_REQUEST:
        return problem_response(
            InvalidRequest("The body can't be read. Send a JSON object in UTF-8, not deeply nested.")
        )
    detail = {
        HTTPStatus.NOT_FOUND: f"There is nothing at {request.url.path}. /docs lists what is here.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible here; the Allow header says what is.",
    }.get(status, status.description)
    code = status.phrase.lower().replace(" ", "-")
    headers = {"Allow": _allowed(request)} if status == HTTPStatus.METHOD_NOT_ALLOWED else error.headers or {}
    return _response(status, code, status.phrase, detail, headers=headers)


def _allowed(request: Request) -> str:
    """All methods of this path: the framework itself names those of one route, and a path may have several."""

    def has(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)

    methods = [method for method in _METHODS if has("GET" if method == "HEAD" else method)]  # the edge makes it a GET
    return ", ".join(methods)


def unexpected() -> Response:
    """The answer for a bug of ours."""
    return problem_response(Problem("Something went wrong on our side. The trace id finds it in the logs."))


def _response(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    extensions: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body: dict[str, object] = {
        "type": f"urn:mayfly:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in errors]
    body |= dict(extensions or {}) | {"trace_id": current_trace().trace_id}
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))
