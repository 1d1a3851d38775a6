"""Every route for every role, out of a service's own contract: a new route is covered by itself, or fails until it is.

What a route needs is read from its `security` in OpenAPI: that is what is enforced, or the tests fail. A route without
`security` must be in the service's table of open routes, which says why; a path parameter must be in its table of owned
things, which says how to make one of another user's.
"""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.openapi import operations

OPERATIONAL = {
    "GET /livez": "for the platform; says nothing but that the process runs",
    "GET /readyz": "for the platform; names what does not answer, and no address",
    "GET /metrics": "for the platform; numbers without names of users",
}
JSON_MEDIA_TYPE = "application/json"


@dataclass(frozen=True)
class Operation:
    """`scopes` is None where no access token is asked for."""

    method: str
    path: str
    scopes: frozenset[str] | None
    parameters: tuple[str, ...]
    members: frozenset[str] | None
    """Of its JSON body; None where it takes none."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def is_for(self, token: str) -> bool:
        """Whether the token's scope reaches that far."""
        return (self.scopes or frozenset()) <= scopes_of(token)

    def filled(self, value: str) -> str:
        return re.sub(r"\{[a-z_]+\}", value, self.path)


def contract(snapshot: Path) -> list[Operation]:
    """The operations of the contract that is kept in a file, which another test compares with the running service."""
    openapi: dict[str, Any] = json.loads(snapshot.read_text(encoding="utf-8"))
    return [_operation(openapi, name, raw) for name, raw in operations(openapi)]


def _operation(openapi: dict[str, Any], name: str, raw: dict[str, Any]) -> Operation:
    method, _, path = name.partition(" ")
    scopes = [frozenset(one["bearer"]) for one in raw.get("security", []) if "bearer" in one]
    parameters = tuple(one["name"] for one in raw.get("parameters", []) if one["in"] == "path")
    content = raw.get("requestBody", {}).get("content", {}).get(JSON_MEDIA_TYPE)
    members = None if content is None else frozenset(_members(openapi, content["schema"]))
    return Operation(method, path, scopes[0] if scopes else None, parameters, members)


def _members(openapi: dict[str, Any], schema: dict[str, Any]) -> Iterable[str]:
    if "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for one in [schema, *schema.get("oneOf", []), *schema.get("anyOf", [])]:
        yield from one.get("properties", {})


async def ask(http: httpx.AsyncClient, operation: Operation, token: str | None, path: str = "") -> httpx.Response:
    """The request with an empty body, where it takes one: who may ask is decided before that is read."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    body: object = None if operation.members is None else {}
    return await http.request(operation.method, path or operation.filled("unknown"), headers=headers, json=body)


def scopes_of(token: str) -> frozenset[str]:
    """What a token says that it may do; it is not verified."""
    payload = token.split(".")[1]
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return frozenset(claims["scope"].split())


def is_refused(answer: httpx.Response) -> bool:
    """Told 401, with a challenge (RFC 6750 section 3) and nothing of what the route would have said."""
    return (
        answer.status_code == 401
        and answer.headers["www-authenticate"].startswith("Bearer")
        and answer.json()["code"] == "unauthorized"
    )


def lacks_scope(answer: httpx.Response) -> bool:
    """Told 403, with the scope that would be needed."""
    return (
        answer.status_code == 403
        and 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        and answer.json()["code"] == "insufficient-scope"
    )


def alike(first: httpx.Response, first_id: str, second: httpx.Response, second_id: str) -> bool:
    """Whether two answers differ in nothing but the ids that were asked for, and the ids of the requests."""
    return _told(first, first_id) == _told(second, second_id)


def _told(answer: httpx.Response, asked_for: str) -> object:
    document = answer.json() | {"trace_id": ""}
    return answer.status_code, json.dumps(document).replace(asked_for, "ID"), sorted(answer.headers)
