"""What pydantic says of a request, as fields and remedies of ours."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from shared.errors import FieldError
from shared.nearest import did_you_mean
from shared.web.schema import Unstorable

_WORDS = {
    "missing": "is missing; send it",
    "extra_forbidden": "is not known here; leave it out",
    "dict_type": "must be an object",
    "model_attributes_type": "must be an object",
}
_THEIR_START = re.compile(r"^(?:Input|String|List|Value|Data) should ")


def field_errors(error: RequestValidationError, known: Collection[str]) -> list[FieldError]:
    """One for each field that is wrong, in their order; what several alternatives say of a field is put together.

    `known`: the members that the body may have.
    """
    reasons: dict[str, list[str]] = {}
    for detail in error.errors():
        pointer = _pointer(detail, error.body)
        said = reasons.setdefault(pointer, [])
        if (reason := _reason(detail, known)) not in said:
            said.append(reason)
    return [FieldError(pointer, ", or ".join(said)) for pointer, said in reasons.items()]


def _reason(detail: Mapping[str, Any], known: Collection[str]) -> str:
    where, *path = detail["loc"]
    if detail["type"] == "extra_forbidden" and where == "body" and len(path) == 1 and known:
        return f"is not known here; {did_you_mean(str(path[0]), known)}"
    return _WORDS.get(detail["type"]) or _THEIR_START.sub("must ", str(detail["msg"])).removeprefix("Value error, ")


def _pointer(detail: Mapping[str, Any], body: object) -> str:
    """A JSON Pointer (RFC 6901) into the body; the bare name of what stands elsewhere."""
    where, *path = detail["loc"]
    if where != "body":
        return str(path[-1] if path else where)
    cause = detail.get("ctx", {}).get("error")
    inner = cause.path if isinstance(cause, Unstorable) else ()
    parts = [*_without_alternatives(path, body, detail["type"]), *inner]
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _without_alternatives(path: Sequence[int | str], body: object, kind: str) -> list[int | str]:
    """The path without pydantic's names of a union's alternatives, which are no members of the body."""
    parts: list[int | str] = []
    for part in path:
        try:
            body = body[part]  # type: ignore[index]  # whatever can't be indexed is caught
        except (TypeError, KeyError, IndexError):
            if kind != "missing" or part != path[-1]:
                continue
        parts.append(part)
    return parts
