"""CSV as RFC 4180 has it: commas, a header line, UTF-8. An empty field is NULL, a quoted empty one an empty text.

A column is a number only if all of its sample is written as we would write it (so `007` stays a text).
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from services.processor.domain.column_types import INTEGER_TYPES
from services.processor.domain.excerpts import excerpt
from services.processor.domain.formats import Compression
from services.processor.domain.pipeline_errors import RecordError
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import quote_name, quote_text, select
from services.processor.engine.files import PlainFile, chunks_of
from services.processor.engine.formats.csv_rows import cut_rows, parsed_rows
from services.processor.engine.formats.json_fits import keeps_its_time
from services.processor.engine.formats.raw_records import RawRecord, first_flaw
from services.processor.engine.formats.record_format import Proof, Sample, Scan
from services.processor.engine.formats.text_lines import lines
from services.processor.engine.session import Stop

_HEADER_BYTES = 1 << 20
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)
_DOUBLE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_FAITHFUL_LENGTH = 16


@dataclass(frozen=True, slots=True)
class CsvRecords:
    keeps_anything: str = "VARCHAR"
    needs_one_thread: bool = False

    def copy_options(self, compression: Compression) -> str:
        return f"FORMAT csv, HEADER true, COMPRESSION {compression}"

    def infer(self, sample: Sample, *, leaves_out: bool) -> dict[str, str | None]:
        rows = parsed_rows([sample.content], sample.name, is_whole=sample.is_whole)
        header = next(rows, (None, []))[1]
        guesses = [_Guess() for _ in header]
        for raw, row in rows:
            if raw.flaw is not None:
                if leaves_out:
                    continue
                raise raw.flaw.of(sample.name, raw.number)
            for guess, text in zip(guesses, row, strict=True):
                guess.see(text)
        return {name: guess.type for name, guess in zip(header, guesses, strict=True)}

    def merge(self, first: str | None, second: str | None) -> str | None:
        if first is None or second is None or first == second:
            return first or second
        return "DOUBLE" if {first, second} == {"BIGINT", "DOUBLE"} else "VARCHAR"

    def whole_records(self, sample: Sample) -> bytes:
        return sample.content if sample.is_whole else cut_rows(sample.content)

    def scan(self, file: PlainFile, schema: Schema) -> Scan:
        found = _header(file)
        header = found[1] if found else []
        unknown = next((name for name in header if name not in schema.names), None)
        if unknown is not None:
            message = "this column is in no object that the columns were taken from"
            remedy = f'say config.input.schema: {{"{excerpt(unknown)}": "VARCHAR"}}'
            raise RecordError(message, object_name=file.name, column=excerpt(unknown), remedy=remedy)
        raw = _read(file, header) if header else "SELECT NULL WHERE FALSE"
        present = {column.name for column in schema} & set(header)
        fits = tuple(_fits(column) if column.name in present else "TRUE" for column in schema)
        return Scan(
            rows=select(", ".join(_as_pinned(column, column.name in present) for column in schema), f"({raw})"),
            raw=raw,
            is_record="TRUE",
            fits=fits,
            fits_exactly=fits,
            texts=tuple(quote_name(column.name) if column.name in present else "NULL" for column in schema),
        )

    def proof(self, _file: PlainFile, _schema: Schema, /) -> Proof | None:
        return None

    def raw_records(self, file: PlainFile, stop: Stop, *, judged_by: Schema | None) -> Iterator[RawRecord]:  # noqa: ARG002
        """To find where a row ends is to judge it."""
        rows = parsed_rows(chunks_of(file, stop), file.name, is_whole=True)
        next(rows, None)
        return (raw for raw, _ in rows)

    def find_unreadable(self, file: PlainFile, schema: Schema, stop: Stop) -> RecordError | None:
        found = first_flaw(self.raw_records(file, stop, judged_by=schema), file.name)
        ends = {line.endswith(b"\r") for line in lines(chunks_of(file, stop), is_whole=False)}
        if found is None and len(ends) > 1:
            message = "some lines end with CR LF and some with LF"
            return RecordError(message, object_name=file.name, remedy="end all in one way")
        return found

    def write_raw(self, file: PlainFile, contents: Iterator[bytes], target: BinaryIO) -> None:
        header = _header(file)
        target.writelines(content + b"\n" for content in chain([header[0].content] if header else [], contents))

    def empty(self, schema: Schema) -> bytes:
        """The header, as far as there are columns."""
        if not schema.columns:
            return b""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(schema.names)
        return text.getvalue().encode()

    def cell(self, column: Column) -> str:
        """Lists and JSON as JSON text, but a JSON text as the text itself."""
        name = quote_name(column.name)
        if column.type == "JSON":
            text = f"WHEN 'VARCHAR' THEN {name} ->> '$' WHEN 'NULL' THEN NULL ELSE CAST({name} AS VARCHAR)"
            return f"CASE json_type({name}) {text} END"
        return f"CAST(to_json({name}) AS VARCHAR)" if column.type.endswith("[]") else name


CSV_RECORDS = CsvRecords()


class _Guess:
    """The narrowest type that writes every text of a column back as it was."""

    def __init__(self) -> None:
        self._possible = ["BIGINT", "DOUBLE", "BOOLEAN"]
        self._has_seen = False

    def see(self, text: str) -> None:
        if text:
            self._has_seen = True
            self._possible = [one for one in self._possible if _looks_like(one, text)]

    @property
    def type(self) -> str | None:
        return (self._possible or ["VARCHAR"])[0] if self._has_seen else None


def _looks_like(column_type: str, text: str) -> bool:
    if column_type == "BIGINT":
        return _INTEGER.fullmatch(text) is not None
    if column_type == "BOOLEAN":
        return text in {"true", "false"}
    if not _DOUBLE.fullmatch(text) or re.match(r"-?0[0-9]", text):
        return False
    return len(text) <= _FAITHFUL_LENGTH or repr(float(text)) == text


def _fits(column: Column) -> str:
    """Whether a text is written as we would write it again; as a DOUBLE, whether all of its digits survive."""
    text, column_type = quote_name(column.name), column.type
    if column_type == "VARCHAR":
        return "TRUE"
    fits = f"TRY_CAST({text} AS {column_type})"
    if column_type in INTEGER_TYPES:
        fits = f"CAST({fits} AS VARCHAR) = {text}"
    elif column_type == "DOUBLE":
        exact = f"length({text}) <= {_FAITHFUL_LENGTH} OR CAST({fits} AS VARCHAR) = {text}"
        fits = f"isfinite({fits}) AND ({exact})"
    elif column_type.startswith("DECIMAL"):
        fits = f"CAST({fits} AS DOUBLE) = TRY_CAST({text} AS DOUBLE)"
    elif column_type == "TIMESTAMP":
        fits = keeps_its_time(text)
    else:
        fits = f"{fits} IS NOT NULL"
    return f"({text} IS NULL OR {text} = '' OR coalesce({fits}, FALSE))"


def _as_pinned(column: Column, is_present: bool) -> str:
    name = quote_name(column.name)
    if not is_present:
        return f"CAST(NULL AS {column.type}) AS {name}"
    return name if column.type == "VARCHAR" else f"CAST(nullif({name}, '') AS {column.type}) AS {name}"


def _read(file: PlainFile, header: list[str]) -> str:
    columns = ", ".join(f"{quote_text(name)}: 'VARCHAR'" for name in header)
    options = (
        "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '',"
        " allow_quoted_nulls = false, strict_mode = true, null_padding = false, compression = 'none',"
        " hive_partitioning = false"
    )
    return select("*", f"read_csv({quote_text(str(file.path))}, {options}, columns = {{{columns}}})")


def _header(file: PlainFile) -> tuple[RawRecord, list[str]] | None:
    with file.path.open("rb") as stream:
        start = stream.read(_HEADER_BYTES)
    return next(parsed_rows([start], file.name, is_whole=len(start) < _HEADER_BYTES), None)
