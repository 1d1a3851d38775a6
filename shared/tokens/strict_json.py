"""JSON objects as our tokens and key sets write them: UTF-8, no member twice, no NaN, no half characters. Pure."""

import json
from typing import NoReturn


class NotStrictJson(ValueError):  # noqa: N818 - it states the fact
    """Not one JSON object, or one that two parsers could read differently."""


def parse_object(raw: bytes) -> dict[str, object]:
    """The JSON object that `raw` is, and nothing else around it.

    Raises:
        NotStrictJson: for whatever is wrong: encoding, syntax, nesting, a member given twice, a lone surrogate.
    """
    try:
        text = raw.decode().strip(_WHITESPACE)
        parsed, end = _DECODER.raw_decode(text)
        if end != len(text):
            raise NotStrictJson("more than one JSON value")
        if "\\u" in text:  # only an escape can bring a lone surrogate, which UTF-8 can't write
            json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise NotStrictJson("not JSON that everyone reads alike") from error
    if type(parsed) is not dict:
        raise NotStrictJson("not a JSON object")
    return parsed


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJson("a member is given twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise NotStrictJson(f"{name} is no JSON number")


_WHITESPACE = " \t\n\r"
_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_no_constant)
