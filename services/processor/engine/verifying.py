"""Every record of the input against the pinned columns, before any is used: reading must not change a value."""

from collections.abc import Sequence

import duckdb

from services.processor.domain.excerpts import excerpt
from services.processor.domain.formats import Format
from services.processor.domain.pipeline_errors import MemoryExceeded, RecordError
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import select
from services.processor.engine.files import PlainFile
from services.processor.engine.formats.raw_records import Flaw
from services.processor.engine.formats.record_format import Scan
from services.processor.engine.formats.registry import record_format
from services.processor.engine.session import Session


def count_records(files: Sequence[PlainFile], scans: Sequence[Scan], schema: Schema, session: Session) -> int:
    """How many records there are. Raises RecordError for the first that is broken or does not fit its columns."""
    total = 0
    for file, scan in zip(files, scans, strict=True):
        proven = _count_proven(file, schema, session)
        total += _count(file, scan, schema, session) if proven is None else proven
    return total


def _count_proven(file: PlainFile, schema: Schema, session: Session) -> int | None:
    """None unless all are proven to fit."""
    proof = record_format(file.format).proof(file, schema)
    if proof is None:
        return None
    try:
        found = {name for name, _ in session.columns(proof.records)}
        if found != set(schema.names):
            return None
        [(records, good)] = session.rows(select(f"count(*), count_if({proof.fits})", f"({proof.records})"))
    except duckdb.Error:
        return None
    return int(str(records)) if records == good else None


def _count(file: PlainFile, scan: Scan, schema: Schema, session: Session) -> int:
    good = " AND ".join([scan.is_record, *scan.fits])
    try:
        [(records, bad)] = session.rows(select(f"count(*), count_if(NOT ({good}))", f"({scan.raw})"))
    except duckdb.Error:
        raise unreadable(file, scan, schema, session) from None
    if bad:
        raise unreadable(file, scan, schema, session)
    return int(str(records))


def unreadable(file: PlainFile, scan: Scan, schema: Schema, session: Session) -> RecordError:
    """For a file with a record that can't be read: which one, and why."""
    try:
        found = _misfit(file, scan, schema, session)
    except (duckdb.Error, MemoryExceeded):  # one record may be too large for the engine
        found = None
    found = found or record_format(file.format).find_unreadable(file, schema, stop=session.stop)
    return found or RecordError(f"this can't be read as {file.format.name}", object_name=file.name)


def _misfit(file: PlainFile, scan: Scan, schema: Schema, session: Session) -> RecordError | None:
    """For the first bad record, if it is one at all: its first value that does not fit."""
    good = " AND ".join([scan.is_record, *scan.fits_exactly])
    numbered = select(f"row_number() OVER () AS number, *, ({good}) AS good", f"({scan.raw})")
    first = session.rows(select("min(number)", f"({numbered})", "WHERE NOT good"))[0][0]
    if first is None:
        return None
    shown = ", ".join([scan.is_record, *scan.fits_exactly, *(f"left({text}, 100)" for text in scan.texts)])
    [(is_record, *rest)] = session.rows(select(shown, f"({numbered})", f"WHERE number = {first}"))
    if not is_record:
        return None
    at = rest.index(False)
    flaw = misfit(file.format, schema.columns[at], rest[len(schema.columns) + at])
    return flaw.of(file.name, int(str(first)))


def misfit(known: Format, column: Column, text: object) -> Flaw:
    """What is wrong with a record whose value for the column is this one."""
    keeps = record_format(known).keeps_anything
    return Flaw(
        f'"{excerpt(text)}" is no {column.type}, or would not stay the same as one',
        column=excerpt(column.name),
        remedy=f'correct it, or say config.input.schema: {{"{excerpt(column.name)}": "{keeps}"}} to keep it as it is',
    )
