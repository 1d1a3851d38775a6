"""What is wrong with one record of JSON, whatever the others are."""

from collections.abc import Container, Iterable, Iterator

from services.processor.domain.excerpts import excerpt
from services.processor.engine.formats.json_types import type_of
from services.processor.engine.formats.json_values import JsonObject, raw_lines, unsupported, value_of
from services.processor.engine.formats.raw_records import Flaw, RawRecord
from services.processor.engine.formats.record_format import LARGEST_RECORD_BYTES


def values_of_lines(chunks: Iterable[bytes], *, is_whole: bool, largest: int) -> Iterator[object]:
    """The values of NDJSON; for a line that is none the flaw."""
    for raw in raw_lines(chunks, is_whole=is_whole, largest=largest):
        try:
            yield value_of(raw, largest=largest)
        except Flaw as flaw:
            yield flaw


def flaw_of(raw: RawRecord, known: Container[str]) -> Flaw | None:
    """None for an object whose keys are all among the `known`."""
    try:
        value = value_of(raw, largest=LARGEST_RECORD_BYTES)
        pairs = pairs_of(value)
    except Flaw as flaw:
        return flaw
    if reason := unsupported(value):
        return Flaw(f"this can't be read: {reason}")
    return next((_unknown(key, one) for key, one in pairs if key not in known), None)


def pairs_of(value: object) -> tuple[tuple[str, object], ...]:
    """Keys and values of a record. Raises Flaw for what is none."""
    if isinstance(value, Flaw):
        raise value
    if not isinstance(value, JsonObject):
        kind = {list: "a list", str: "a text", bool: "a boolean", type(None): "null"}.get(type(value), "a number")
        raise Flaw(f"a record is an object, this is {kind}")
    seen: set[str] = set()
    for key, _ in value.pairs:
        if key in seen:
            raise Flaw("the key is there twice", column=excerpt(key))
        if not key:
            raise Flaw("a key is empty", remedy="give it a name")
        seen.add(key)
    return value.pairs


def _unknown(key: str, value: object) -> Flaw:
    return Flaw(
        "this key is in no record of the sample that the columns were taken from",
        column=excerpt(key),
        remedy=f'say config.input.schema: {{"{excerpt(key)}": "{type_of(value) or "JSON"}"}}',
    )
