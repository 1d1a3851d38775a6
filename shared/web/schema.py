"""The base of every request and response body: nothing unknown, nothing coerced, nothing that can't be stored."""

import math
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

MOST_NESTING = 40
_LONE_SURROGATES = range(0xD800, 0xE000)


class ResponseModel(BaseModel):
    """A body that we send."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RequestModel(BaseModel):
    """A body that we are sent: unknown members, wrong types, NUL, lone surrogates, NaN and deep nesting are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_what_cannot_be_stored(cls, raw_body: Any) -> Any:  # noqa: ANN401 - not parsed yet
        refuse_unstorable(raw_body)
        return raw_body


class Unstorable(ValueError):  # noqa: N818 - it states the fact
    """`path` leads to the value: member names and list indexes."""

    def __init__(self, reason: str, path: tuple[str | int, ...]) -> None:
        super().__init__(reason)
        self.path = path


def refuse_unstorable(raw_value: object) -> None:
    """Walk through a JSON value.

    Raises:
        Unstorable: text with NUL or a lone surrogate, a number that is not finite, or nesting past `MOST_NESTING`.
    """
    waiting: list[tuple[object, tuple[str | int, ...]]] = [(raw_value, ())]
    while waiting:
        value, path = waiting.pop()
        reason = f"nested deeper than {MOST_NESTING} levels" if len(path) > MOST_NESTING else _flaw(value)
        if reason is not None:
            raise Unstorable(reason, path)
        if isinstance(value, dict):
            waiting += [(key, path) for key in value]
            waiting += [(part, (*path, key)) for key, part in value.items()]
        elif isinstance(value, list):
            waiting += [(part, (*path, index)) for index, part in enumerate(value)]


def _flaw(value: object) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "is no number that JSON has; send null or a finite number"
    if not isinstance(value, str):
        return None
    if "\0" in value:
        return "text must not contain NUL (\\u0000)"
    if not value.isascii() and any(ord(character) in _LONE_SURROGATES for character in value):
        return "text must not contain half of a surrogate pair; send valid UTF-8"
    return None
