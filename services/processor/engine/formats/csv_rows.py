"""The rows of a CSV, one by one and strictly: what each holds, how it is written, what is wrong with it."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from services.processor.domain.excerpts import excerpt
from services.processor.domain.pipeline_errors import RecordError
from services.processor.domain.schema_of_records import Column, ColumnsDifferByCase, Schema
from services.processor.engine.formats.raw_records import Flaw, RawRecord
from services.processor.engine.formats.text_lines import lines

_LARGEST_ROW_BYTES = 2_000_000
_OTHER_DELIMITERS = ";\t|"
_UNENDED = ("unexpected end", "field larger")


def parsed_rows(chunks: Iterable[bytes], name: str, *, is_whole: bool) -> Iterator[tuple[RawRecord, list[str]]]:
    """The header as record 0, then each record, maybe with a flaw. A blank line is one where there is one column.

    Raises RecordError for a header that can't be one, and where a row does not end, so that no other can be found.
    """
    csv.field_size_limit(_LARGEST_ROW_BYTES)
    taken = _Lines(lines(chunks, is_whole=is_whole))
    reader = csv.reader(taken, strict=True)
    number = width = 0
    while True:
        flaw = None
        row: list[str] = []
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            flaw = _no_csv(str(error))
            if str(error).startswith(_UNENDED):
                if is_whole:
                    raise flaw.of(name, number) from None
                return
        raw = taken.record(number)
        if not row and flaw is None:
            if width != 1:
                continue
            row = [""]
        flaw = raw.flaw or flaw or (_misfit(row, width) if number else None)
        if not number:
            _check_header(row, flaw, name)
            width = len(row)
        yield replace(raw, flaw=flaw), row
        number += 1


class _Lines:
    """Lines as texts, for a parser that takes as many as a row has."""

    def __init__(self, raw_lines: Iterable[bytes]) -> None:
        self._raw_lines = iter(raw_lines)
        self._taken: list[bytes] = []
        self._flaw: Flaw | None = None
        self._byte = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._raw_lines)
        self._taken.append(line)
        try:
            return line.decode() + "\n"
        except UnicodeDecodeError as error:
            message = f"the byte 0x{error.object[error.start]:02x} is no UTF-8"
            self._flaw = self._flaw or Flaw(message, remedy="save the text as UTF-8")
            return line.decode(errors="replace") + "\n"

    def record(self, number: int) -> RawRecord:
        """The lines that were taken since the last one."""
        content = b"\n".join(self._taken)
        raw = RawRecord(number, self._byte, len(content), content, self._flaw)
        self._byte += len(content) + 1
        self._taken, self._flaw = [], None
        return raw


def cut_rows(content: bytes) -> bytes:
    """Without the last row, where it may be cut off."""
    reader = csv.reader(_Lines(lines([content], is_whole=False)), strict=True)
    whole = 0
    while True:
        with suppress(csv.Error):
            if next(reader, None) is None:
                break
            whole = reader.line_num
    return b"".join(line + b"\n" for line in islice(lines([content], is_whole=False), whole))


def _misfit(row: list[str], width: int) -> Flaw | None:
    if len(row) != width:
        return Flaw(f"it has {len(row)} fields, the header names {width}", remedy='quote a field that holds a ","')
    if sum(map(len, row)) > _LARGEST_ROW_BYTES:
        return Flaw(f"it is larger than {_LARGEST_ROW_BYTES:,} bytes")
    return None


def _no_csv(theirs: str) -> Flaw:
    """What the parser of the standard library says, in words of ours, and a remedy."""
    if theirs.startswith("new-line character"):
        message, remedy = "a CR stands by itself in a field without quotes", "end each line with LF or CR LF"
        return Flaw(f"this is no CSV: {message}", remedy=f"{remedy}, or quote the field")
    if theirs.startswith("field larger"):
        message = f"a field is larger than {_LARGEST_ROW_BYTES:,} bytes"
        return Flaw(f"this is no CSV: {message}", remedy="close each quote, or store such data elsewhere")
    message = "a quote is not closed" if theirs == "unexpected end of data" else "text stands behind a closing quote"
    return Flaw(f"this is no CSV: {message}", remedy="close each quote, and write a quote within a field twice")


def _check_header(header: list[str], flaw: Flaw | None, name: str) -> None:
    if flaw is not None:
        raise flaw.of(name, 0)
    if len(header) == 1 and any(char in header[0] for char in _OTHER_DELIMITERS):
        message = f'the header has one column, "{excerpt(header[0])}"; fields are separated by "," (RFC 4180)'
        raise RecordError(message, object_name=name, remedy="write the file with commas")
    if "" in header:
        message = f"column {header.index('') + 1} of the header has no name"
        raise RecordError(message, object_name=name, remedy="the first line names every column")
    for i, column in enumerate(header):
        if column in header[:i]:
            raise RecordError("two columns have this name", object_name=name, column=excerpt(column))
    try:
        Schema(tuple(Column(column, "VARCHAR") for column in header))
    except ColumnsDifferByCase as error:
        raise RecordError(str(error), object_name=name, remedy="rename one") from None
