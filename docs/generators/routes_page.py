"""docs/reference/routes.md: every route, out of both services' OpenAPI documents."""

from collections.abc import Iterator, Mapping
from typing import Any

from docs.generators.markdown import code, page, table
from services.auth.main import create_app as create_auth
from services.auth.settings import AuthSettings
from services.processor.main import create_app as create_processor
from services.processor.settings import ProcessorSettings

_INTRODUCTION = """The same contract for programs: `/openapi.json` of each service; to try it out: `/docs`. A scope in
the second column means that the route needs an access token (`Authorization: Bearer …`) that has it. Errors are
explained in [errors](errors.md)."""


def routes_page() -> str:
    documents = {
        "auth": create_auth(AuthSettings()).openapi(),
        "processor": create_processor(ProcessorSettings()).openapi(),
    }
    blocks = [block for name, document in documents.items() for block in _service(name, document)]
    return page("Routes", _INTRODUCTION, *blocks)


def _service(name: str, document: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}"
    rows = [
        [f"`{method.upper()} {path}`", _needs(operation), operation.get("summary", "")]
        for path, method, operation in _operations(document)
    ]
    yield table(["route", "token", "what it does"], rows)
    for path, method, operation in _operations(document):
        yield f"### `{method.upper()} {path}`"
        yield operation.get("description", "")
        yield _parameters(operation)
        yield _body(operation, document)
        yield table(["answer", "meaning"], [_answer(*answer) for answer in operation["responses"].items()])


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _needs(operation: Mapping[str, Any]) -> str:
    if not operation.get("security"):
        return "none"
    scopes = [scope for scheme in operation["security"] for names in scheme.values() for scope in names]
    return ", ".join(map(code, scopes)) or "any"


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = [
        [code(each["name"]), each["in"], _schema_words(each.get("schema", {})), each.get("description", "")]
        for each in operation.get("parameters", [])
    ]
    return table(["parameter", "in", "value", "meaning"], rows) if rows else ""


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    for media_type, body in content.items():
        schema = _resolved(body.get("schema", {}), document)
        required = schema.get("required", [])
        rows = [
            [
                code(name) + ("" if name in required else " (optional)"),
                _schema_words(_resolved(member, document)),
                member.get("description", ""),
            ]
            for name, member in schema.get("properties", {}).items()
        ]
        if rows:
            return f"Body: {code(media_type)}\n\n" + table(["member", "value", "meaning"], rows)
    return ""


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _schema_words(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_schema_words(each) for each in schema["anyOf"] if each.get("type") != "null")
    if "enum" in schema or "const" in schema:
        return " or ".join(code(str(value)) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_schema_words(schema.get('items', {})) or 'any value'}"
    return str(schema.get("type", "")) or "any value"


def _answer(status: str, answer: Mapping[str, Any]) -> list[str]:
    return [status, answer.get("description", "")]
