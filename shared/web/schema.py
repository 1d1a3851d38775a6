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


def refuse_unstorable(raw_value: object) -> None:
    """Walk through a JSON value.

    Raises:
        ValueError: text with NUL or a lone surrogate, a number that is not finite, or nesting past `MOST_NESTING`.
    """
    waiting: list[tuple[object, int]] = [(raw_value, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MOST_NESTING:
            message = f"nested deeper than {MOST_NESTING} levels"
            raise ValueError(message)
        if isinstance(value, str):
            _refuse_text(value)
        elif isinstance(value, float) and not math.isfinite(value):
            message = "NaN and Infinity are not JSON; send null or a number"
            raise ValueError(message)
        elif isinstance(value, dict):
            waiting += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            waiting += [(part, depth + 1) for part in value]


def _refuse_text(text: str) -> None:
    if "\0" in text:
        message = "text must not contain NUL (\\u0000)"
        raise ValueError(message)
    if not text.isascii() and any(ord(character) in _LONE_SURROGATES for character in text):
        message = "text must not contain half of a surrogate pair; send valid UTF-8"
        raise ValueError(message)
