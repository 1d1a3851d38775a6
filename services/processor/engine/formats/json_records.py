"""JSON arrays and NDJSON. Numbers with a fraction are DOUBLE (RFC 8259 §6), nested values stay JSON.

A key that a record lacks is NULL. A key that no record of the sample had is an error, never dropped.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from services.processor.domain.column_types import INTEGER_TYPES
from services.processor.domain.formats import Compression
from services.processor.domain.pipeline_errors import RecordError
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import json_pointer, quote_name, quote_text, select
from services.processor.engine.files import PlainFile, chunks_of
from services.processor.engine.formats.json_fits import JsonValue, fits
from services.processor.engine.formats.json_flaws import flaw_of, pairs_of, values_of_lines
from services.processor.engine.formats.json_proof import proof
from services.processor.engine.formats.json_types import Guess, GuessOfMost, merge_types, type_of
from services.processor.engine.formats.json_values import (
    Unreadable,
    cut_array,
    raw_elements,
    raw_lines,
    values_of_array,
)
from services.processor.engine.formats.raw_records import Flaw, RawRecord, first_flaw
from services.processor.engine.formats.record_format import LARGEST_RECORD_BYTES, Proof, Sample, Scan
from services.processor.engine.formats.text_lines import cut_lines
from services.processor.engine.session import Stop

_NO_JSON_NUMBER = "is no number in JSON; test for it with isfinite(x)"
_READ_AS_IT_IS = INTEGER_TYPES | {"BOOLEAN", "DOUBLE", "VARCHAR", "JSON"}


@dataclass(frozen=True, slots=True)
class JsonRecords:
    reader_format: str
    written_as: str
    values_of: Callable[..., Iterator[object]]
    raw_records_of: Callable[..., Iterator[RawRecord]]
    cut: Callable[[bytes], bytes]
    nothing: bytes
    around: tuple[bytes, bytes, bytes]
    """What stands before, between and behind records."""
    keeps_anything: str = "JSON"
    needs_one_thread: bool = False

    def copy_options(self, compression: Compression) -> str:
        return f"FORMAT json, {self.written_as}, COMPRESSION {compression}"

    def infer(self, sample: Sample, *, leaves_out: bool) -> dict[str, str | None]:
        guesses: dict[str, Guess] = {}
        try:
            values = self.values_of([sample.content], is_whole=sample.is_whole, largest=LARGEST_RECORD_BYTES)
            for number, value in enumerate(values, 1):
                try:
                    pairs = pairs_of(value)
                except Flaw as flaw:
                    if leaves_out:
                        continue
                    raise flaw.of(sample.name, number) from None
                for key, one in pairs:
                    guesses.setdefault(key, GuessOfMost() if leaves_out else Guess()).see(type_of(one))
        except Unreadable as error:
            raise _broken(sample.name, error) from None
        return {key: guess.type for key, guess in guesses.items()}

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

    def raw_records(self, file: PlainFile, stop: Stop, *, judged_by: Schema | None) -> Iterator[RawRecord]:
        known = None if judged_by is None else frozenset(judged_by.names)
        try:
            for raw in self.raw_records_of(chunks_of(file, stop), is_whole=True, largest=LARGEST_RECORD_BYTES):
                yield raw if known is None else replace(raw, flaw=flaw_of(raw, known))
        except Unreadable as error:
            raise _broken(file.name, error) from None

    def find_unreadable(self, file: PlainFile, schema: Schema, stop: Stop) -> RecordError | None:
        return first_flaw(self.raw_records(file, stop, judged_by=schema), file.name)

    def write_raw(self, _file: PlainFile, contents: Iterator[bytes], target: BinaryIO) -> None:
        before, between, behind = self.around
        target.write(before)
        target.writelines(between + content if i else content for i, content in enumerate(contents))
        target.write(behind)

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


JSON_ARRAYS = JsonRecords(
    "array", "ARRAY true", values_of_array, raw_elements, cut_array, b"[]\n", (b"[", b",\n", b"]\n")
)
NDJSON_RECORDS = JsonRecords(
    "newline_delimited", "ARRAY false", values_of_lines, raw_lines, cut_lines, b"", (b"", b"\n", b"\n")
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


def _broken(name: str, error: Unreadable) -> RecordError:
    return RecordError(f"this can't be read: {error.reason}", object_name=name, record=error.record)
