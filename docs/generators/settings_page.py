"""docs/reference/settings.md: every field of every settings class."""

import types
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from deploy.local.settings import LocalSettings
from docs.generators.markdown import code, page, table
from services.auth.settings import AuthSettings
from services.processor.settings import ProcessorSettings
from shared.settings import PREFIX, SharedSettings

_INTRODUCTION = """Settings are environment variables. A value is taken from the first of these that has it:

1. the variable `MAYFLY_NAME`;
2. the file that `MAYFLY_NAME_FILE` names (for secrets);
3. the SSM Parameter Store, below the path in `MAYFLY_SSM_PREFIX` (the parameter `…/name`; SecureString too);
4. the default.

They are read once, at start. A value that is missing or wrong ends the start with one line that names it.
How to change them, step by step: [change settings](../how-to/change-settings.md)."""

_WORDS = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", SecretStr: "secret"}


def settings_page() -> str:
    own = set(_own(AuthSettings)) & set(_own(ProcessorSettings))
    shared = [name for name in SharedSettings.model_fields if name not in own]
    return page(
        "Settings",
        _INTRODUCTION,
        "## Both services",
        _table(SharedSettings, shared),
        "## auth",
        _table(AuthSettings, _own(AuthSettings)),
        "## processor and worker",
        _table(ProcessorSettings, _own(ProcessorSettings)),
        "## `make run` alone",
        "Read by the command that starts everything on one machine; it hands the services what they need.",
        _table(LocalSettings, list(LocalSettings.model_fields)),
    )


def _own(settings: type[SharedSettings]) -> list[str]:
    """The fields that the service adds, and those whose default it changes."""
    shared = SharedSettings.model_fields
    fields = settings.model_fields
    return [name for name in fields if name not in shared or _default(fields[name]) != _default(shared[name])]


def _table(settings: type[BaseSettings], names: list[str]) -> str:
    required = settings.required_in_production() if issubclass(settings, SharedSettings) else ()
    rows = [
        [
            code(f"{PREFIX}{name.upper()}"),
            _kind(settings.model_fields[name]),
            _default(settings.model_fields[name]) + (" (must be set outside local mode)" if name in required else ""),
            settings.model_fields[name].description or "",
        ]
        for name in names
    ]
    return table(["variable", "value", "default", "what it does"], rows)


def _kind(field: FieldInfo) -> str:
    words = _type_words(field.annotation)
    bounds = _bounds(field.metadata)
    return f"{words}, {bounds}" if bounds else words


def _type_words(annotation: Any) -> str:  # noqa: ANN401 - any annotation
    if get_origin(annotation) is Literal:
        return ", ".join(code(str(value)) for value in get_args(annotation))
    if get_origin(annotation) in {Union, types.UnionType}:
        return " or ".join(_type_words(part) for part in get_args(annotation) if part is not types.NoneType)
    return _WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)).lower())


def _bounds(metadata: list[Any]) -> str:
    low = next((f"{m.ge:,}" for m in metadata if isinstance(m, Ge)), None)
    high = next((f"{m.le:,}" for m in metadata if isinstance(m, Le)), None)
    above = next((f"more than {m.gt}" for m in metadata if isinstance(m, Gt)), None)
    below = next((f"less than {m.lt}" for m in metadata if isinstance(m, Lt)), None)
    if low and high:
        return f"{low} to {high}"
    texts = [low and f"at least {low}", high and f"at most {high}", above, below]
    return ", ".join(text for text in texts if text)


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "one for each core" if field.annotation is int else "the system's temporary folder"
    if field.default is PydanticUndefined:
        return "none: it must be set"
    if field.default is None:
        return "not set"
    if field.default == "":
        return "empty"
    return code(str(field.default))
