"""Every record of the input against the pinned columns, before any is used: reading must not change a value."""

from collections.abc import Sequence

import duckdb

from services.processor.domain.nearest import excerpt
from services.processor.domain.pipeline_errors import RecordError
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import select
from services.processor.engine.files import PlainFile
from services.processor.engine.formats.record_format import Scan
from services.processor.engine.formats.registry import record_format
from services.processor.engine.session import Session


def count_records(files: Sequence[PlainFile], scans: Sequence[Scan], schema: Schema, session: Session) -> int:
    """How many records there are. Raises RecordError for the first that is broken or does not fit its columns."""
    total = 0
    for file, scan in zip(files, scans, strict=True):
        good = " AND ".join([scan.is_record, *scan.fits])
        try:
            [(records, bad)] = session.rows(select(f"count(*), count_if(NOT ({good}))", f"({scan.raw})"))
        except duckdb.Error:
            raise unreadable(file, session) from None
        if bad:
            raise _misfit(file, scan, schema, session)
        total += int(str(records))
    return total


def unreadable(file: PlainFile, session: Session) -> RecordError:
    """For a file that DuckDB could not read: where and why, as the format's own slow reader sees it."""
    found = record_format(file.format).find_unreadable(file, session.stop)
    return found or RecordError(f"this can't be read as {file.format.name}", object_name=file.name)


def _misfit(file: PlainFile, scan: Scan, schema: Schema, session: Session) -> RecordError:
    numbered = select("row_number() OVER () AS number, *", f"({scan.raw})")
    good = " AND ".join([scan.is_record, *scan.fits])
    shown = ", ".join([scan.is_record, scan.whole, *scan.fits, *scan.texts])
    bad = f"WHERE NOT ({good}) ORDER BY number LIMIT 1"
    [(number, is_record, whole, *rest)] = session.rows(select(f"number, {shown}", f"({numbered})", bad))
    record = int(str(number))
    if not is_record:
        return record_format(file.format).blame(str(whole), schema, file.name, record)
    fits, texts = rest[: len(scan.fits)], rest[len(scan.fits) :]
    at = fits.index(False)
    return _wrong_value(file, schema.columns[at], texts[at], record)


def _wrong_value(file: PlainFile, column: Column, text: object, record: int) -> RecordError:
    keeps = record_format(file.format).keeps_anything
    return RecordError(
        f'"{excerpt(text)}" is no {column.type}, or would not stay the same as one',
        object_name=file.name,
        record=record,
        column=excerpt(column.name),
        remedy=f'correct it, or say config.input.schema: {{"{excerpt(column.name)}": "{keeps}"}} to keep it as it is',
    )
