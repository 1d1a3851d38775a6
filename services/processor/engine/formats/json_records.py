"""JSON arrays and NDJSON. Numbers with a fraction are DOUBLE (RFC 8259 §6), nested values stay JSON.

A key that a record lacks is NULL. A key that no record of the sample had is an error, never dropped.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from services.processor.domain.column_types import INTEGER_TYPES
from services.processor.domain.excerpts import excerpt
from services.processor.domain.formats import Compression
from services.processor.domain.pipeline_errors import RecordError
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import json_pointer, quote_name, quote_text, select
from services.processor.engine.files import PlainFile, chunks_of
from services.processor.engine.formats.json_fits import JsonValue, fits
from services.processor.engine.formats.json_proof import proof
from services.processor.engine.formats.json_types import merge_types, type_of
from services.processor.engine.formats.json_values import (
    JsonObject,
    Unreadable,
    cut_array,
    flaw,
    records_of_array,
    records_of_lines,
)
from services.processor.engine.formats.record_format import LARGEST_RECORD_BYTES, Proof, Sample, Scan
from services.processor.engine.formats.text_lines import cut_lines
from services.processor.engine.session import Stop

_NO_JSON_NUMBER = "is no number in JSON; test for it with isfinite(x)"
_READ_AS_IT_IS = INTEGER_TYPES | {"BOOLEAN", "DOUBLE", "VARCHAR", "JSON"}


@dataclass(frozen=True, slots=True)
class JsonRecords:
    reader_format: str
    written_as: str
    records_of: Callable[..., Iterator[object]]
    cut: Callable[[bytes], bytes]
    nothing: bytes
    remedy_at_start: str
    keeps_anything: str = "JSON"
    needs_one_thread: bool = False

    def copy_options(self, compression: Compression) -> str:
        return f"FORMAT json, {self.written_as}, COMPRESSION {compression}"

    def infer(self, sample: Sample) -> dict[str, str | None]:
        types: dict[str, str | None] = {}
        try:
            for number, value in enumerate(self._records([sample.content], is_whole=sample.is_whole), 1):
                for key, one in _pairs(value, sample.name, number):
                    types[key] = merge_types(types.get(key), type_of(one))
        except Unreadable as error:
            raise _broken(sample.name, error, self.remedy_at_start) from None
        return {key: None if one == "[]" else one for key, one in types.items()}

    def merge(self, first: str | None, second: str | None) -> str | None:
        return merge_types(first, second)

    def whole_records(self, sample: Sample) -> bytes:
        return sample.content if sample.is_whole else self.cut(sample.content)

    def scan(self, file: PlainFile, schema: Schema) -> Scan:
        path, options = quote_text(str(file.path)), self._options
        read = ", ".join(f"{quote_text(column.name)}: {quote_text(_read_type(column))}" for column in schema)
        columns = ", ".join(_as_pinned(column) for column in schema)
        kinds = "[" + ", ".join(["''", *(quote_text(json_pointer([column.name])) for column in schema)]) + "]"
        return Scan(
            rows=select(columns, f"read_json({path}, {options}, columns = {{{read}}})"),
            raw=select(f"json, json_type(json, {kinds}) AS kinds", f"read_json_objects({path}, {options})"),
            # Each key is of the schema, and there once, if there are as many keys as values that were found.
            is_record="(kinds[1] = 'OBJECT' AND len(json_keys(json)) = list_count(kinds) - 1)",
            fits=tuple(fits(column, _within(column, f"kinds[{i}]")) for i, column in enumerate(schema, 2)),
            fits_exactly=tuple(
                fits(column, _within(column, f"kinds[{i}]"), slowly=True) for i, column in enumerate(schema, 2)
            ),
            texts=tuple(f"json_extract_string(json, {quote_text(json_pointer([c.name]))})" for c in schema),
        )

    def proof(self, file: PlainFile, schema: Schema) -> Proof | None:
        return proof(quote_text(str(file.path)), self._options, schema) if schema.columns else None

    def find_unreadable(self, file: PlainFile, schema: Schema, stop: Stop) -> RecordError | None:
        known = frozenset(schema.names)
        try:
            for number, value in enumerate(self._records(chunks_of(file, stop), is_whole=True), 1):
                pairs = _pairs(value, file.name, number)
                if reason := flaw(value):
                    return _broken(file.name, Unreadable(number, reason))
                for key, one in pairs:
                    if key not in known:
                        return _unknown(key, one, file.name, number)
        except Unreadable as error:
            return _broken(file.name, error, self.remedy_at_start)
        except RecordError as error:
            return error
        return None

    def empty(self, _schema: Schema, /) -> bytes:
        return self.nothing

    def cell(self, column: Column) -> str:
        """JSON has no NaN and no infinity: the engine is asked to fail on them."""
        name = quote_name(column.name)
        if column.type != "DOUBLE":
            return name
        failing = f"CAST(CAST({name} AS VARCHAR) || ' {_NO_JSON_NUMBER}' AS DOUBLE)"
        return f"CASE WHEN isfinite({name}) IS NOT FALSE THEN {name} ELSE {failing} END"

    @property
    def _options(self) -> str:
        return (
            f"format = '{self.reader_format}', compression = 'none', hive_partitioning = false,"
            f" maximum_object_size = {LARGEST_RECORD_BYTES}"
        )

    def _records(self, chunks: Iterable[bytes], *, is_whole: bool) -> Iterator[object]:
        return self.records_of(chunks, is_whole=is_whole, largest=LARGEST_RECORD_BYTES)


JSON_ARRAYS = JsonRecords("array", "ARRAY true", records_of_array, cut_array, b"[]\n", "")
NDJSON_RECORDS = JsonRecords(
    "newline_delimited",
    "ARRAY false",
    records_of_lines,
    cut_lines,
    b"",
    "each line holds one whole object; records that span lines go into a JSON array",
)


def _read_type(column: Column) -> str:
    is_native = column.type.removesuffix("[]") in _READ_AS_IT_IS
    return column.type if is_native else "VARCHAR"


def _as_pinned(column: Column) -> str:
    name = quote_name(column.name)
    if column.type == "DOUBLE":  # 1e400 is JSON, but no number that we could hold
        return f"CASE WHEN isinf({name}) THEN error('infinite') ELSE {name} END AS {name}"
    if _read_type(column) == column.type:
        return name
    return f"CAST({name} AS {column.type}) AS {name}"


def _within(column: Column, kind: str) -> JsonValue:
    """A column's value in the `json` of a record."""
    pointer = quote_text(json_pointer([column.name]))
    path = f'$."{column.name}"[*]'
    elements = f"json, {quote_text(path)}"
    if '"' in column.name or "\\" in column.name:
        elements = f"json_extract(json, {pointer}), '$[*]'"
    return JsonValue(kind, f"json_extract_string(json, {pointer})", f"json_type({elements})")


def _pairs(value: object, name: str, number: int) -> tuple[tuple[str, object], ...]:
    if not isinstance(value, JsonObject):
        kind = {list: "a list", str: "a text", bool: "a boolean", type(None): "null"}.get(type(value), "a number")
        raise RecordError(f"a record is an object, this is {kind}", object_name=name, record=number)
    seen: set[str] = set()
    for key, _ in value.pairs:
        if key in seen:
            raise RecordError("the key is there twice", object_name=name, record=number, column=excerpt(key))
        if not key:
            raise RecordError("a key is empty", object_name=name, record=number, remedy="give it a name")
        seen.add(key)
    return value.pairs


def _unknown(key: str, value: object, name: str, number: int) -> RecordError:
    return RecordError(
        "this key is in no record of the sample that the columns were taken from",
        object_name=name,
        record=number,
        column=excerpt(key),
        remedy=f'say config.input.schema: {{"{excerpt(key)}": "{type_of(value) or "JSON"}"}}',
    )


def _broken(name: str, error: Unreadable, remedy_at_start: str = "") -> RecordError:
    remedy = remedy_at_start if error.record == 1 else ""
    return RecordError(f"this can't be read: {error.reason}", object_name=name, record=error.record, remedy=remedy)
