"""docs/reference/routes.md: every route, out of both services' OpenAPI documents."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from docs.generators.markdown import code, page, table
from services.auth.main import create_app as create_auth
from services.auth.settings import AuthSettings
from services.processor.main import create_app as create_processor
from services.processor.settings import ProcessorSettings
from shared.tokens.pem_keys import generate_pem

_INTRODUCTION = """The same contract for programs: `/openapi.json` of each service; to try it out: `/docs`. A scope in
the second column means that the route needs an access token (`Authorization: Bearer …`) that has it. Errors are
explained in [errors](errors.md)."""


def routes_page() -> str:
    blocks = [block for name, document in openapi_documents().items() for block in _service(name, document)]
    return page("Routes", _INTRODUCTION, *blocks)


def openapi_documents() -> dict[str, dict[str, Any]]:
    """By service. Nothing is started for them."""
    return {
        "auth": create_auth(_auth_settings()).openapi(),
        "processor": create_processor(_processor_settings()).openapi(),
    }


def _auth_settings() -> AuthSettings:
    """Without a key auth does not start; this one signs nothing."""
    return AuthSettings(signing_algorithm="ES256", signing_key=SecretStr(generate_pem("ES256")))


def _processor_settings() -> ProcessorSettings:
    """The same of a processor."""
    return ProcessorSettings(context_key=SecretStr(generate_pem("ES256")))


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
        yield _parameters(operation, document)
        yield _body(operation, document)
        answers = sorted(operation["responses"].items())
        yield table(["answer", "meaning"], [_answer(*answer) for answer in answers])
        yield from _answered_bodies(answers, document)


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _needs(operation: Mapping[str, Any]) -> str:
    if not operation.get("security"):
        return "none"
    # The further alternatives are other ways to the same token.
    scopes = [scope for names in operation["security"][0].values() for scope in names]
    return ", ".join(map(code, scopes)) or "any"


def _parameters(operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    rows = [
        [code(each["name"]), each["in"], _parameter_words(each["schema"], document), each.get("description", "")]
        for each in operation.get("parameters", [])
    ]
    return table(["parameter", "in", "value", "meaning"], rows) if rows else ""


def _parameter_words(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """Its type, its bounds, and what it is without being given. A parameter can be left out, but it can't be null."""
    words = _schema_words({**schema, "anyOf": _given(schema, document)} if "anyOf" in schema else schema)
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = f", {low} to {high}" if low is not None and high is not None else ""
    default = schema.get("default")
    return words + bounds + (f", {code(json.dumps(default))} if left out" if default not in {None, ""} else "")


def _given(schema: Mapping[str, Any], document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [_resolved(choice, document) for choice in schema["anyOf"] if choice.get("type") != "null"]


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
        members = _members(body.get("schema", {}), document, mark_optional=True)
        if members:
            return f"Body: {code(media_type)}\n\n{members}"
    return ""


def _answered_bodies(answers: list[tuple[str, Any]], document: Mapping[str, Any]) -> Iterator[str]:
    for status, answer in answers:
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        members = _members(schema, document, mark_optional=False) if status.startswith("2") else ""
        if members:
            yield f"Body of a {status}:\n\n{members}"


def _members(schema: Mapping[str, Any], document: Mapping[str, Any], *, mark_optional: bool) -> str:
    rows = []
    for name, member, is_required in _flat(schema, document):
        marked = code(name) + ("" if is_required or not mark_optional else " (optional)")
        rows.append([marked, _schema_words(member), member.get("description", "")])
    return table(["member", "value", "meaning"], rows) if rows else ""


def _flat(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Every member, those of its members too: `status.progress.records`, `parts[].url`."""
    resolved = _resolved(schema, document)
    for name, member in resolved.get("properties", {}).items():
        in_list = member.get("type") == "array"
        inner = list(_flat(member.get("items", {}) if in_list else member, document))
        if not inner:
            yield name, member, name in resolved.get("required", [])
        for inner_name, inner_member, is_required in inner:
            yield f"{name}[].{inner_name}" if in_list else f"{name}.{inner_name}", inner_member, is_required


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = [choice for choice in schema.get("anyOf", []) if "$ref" in choice]
    name = (choices[0] if choices else schema).get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def _schema_words(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_schema_words(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " or ".join(code(json.dumps(value)) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_schema_words(schema.get('items', {}))}"
    return str(schema.get("type", "any value"))


def _answer(status: str, answer: Mapping[str, Any]) -> list[str]:
    return [status, answer.get("description", "").replace("Successful Response", "Done.")]
