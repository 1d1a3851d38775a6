"""How routes that answer with pages stand in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from services.auth.routes.pages import MEDIA_TYPE
from shared.errors import Problem
from shared.web.forms import MEDIA_TYPE as FORM

_PAGE = {MEDIA_TYPE: {"schema": {"type": "string"}}}


def page_responses(shown: str, *problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of such a route: whatever is refused is a page too."""
    titles: dict[int | str, list[str]] = {}
    for problem in problems:
        titles.setdefault(problem.status, []).append(problem.title)
    refusals = {status: {"description": "; ".join(said), "content": _PAGE} for status, said in titles.items()}
    led: dict[int | str, dict[str, Any]] = {
        200: {"description": shown, "content": _PAGE},
        303: {"description": "Led on, or back to the client", "headers": {"Location": {"schema": {"type": "string"}}}},
    }
    return led | refusals


def query_parameters(described: Mapping[str, str]) -> dict[str, Any]:
    """The `openapi_extra=` of a page whose query is read as it comes: what is wrong in it is told in OAuth's way."""
    parameters = [
        {"name": name, "in": "query", "required": False, "schema": {"type": "string"}, "description": description}
        for name, description in described.items()
    ]
    return {"parameters": parameters}


def form_body(example: Mapping[str, str]) -> dict[str, Any]:
    """The `openapi_extra=` of what takes our own forms."""
    properties = {name: {"type": "string"} for name in example}
    schema = {"type": "object", "properties": properties, "example": example}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}
