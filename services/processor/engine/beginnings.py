"""The records with which a run begins: those of its files, or the rows that a first stage has kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.processor.domain.schema_of_records import Schema
from services.processor.engine.files import Origin, PlainFile
from services.processor.engine.formats.record_format import Scan
from services.processor.engine.formats.registry import record_format
from services.processor.engine.queries import Hidden, source
from services.processor.engine.rows import all_rows


@dataclass(frozen=True, slots=True)
class Beginning:
    """`rows` gives the query for the records; `scans` are of the `files`, and both are empty in a second stage.

    Only the `origins` of a second stage know where they lie in their objects. `as_they_came` gives origins their
    numbers in the input, where records were left out of the files.
    """

    rows: Callable[[Hidden | None], str]
    origins: Sequence[Origin]
    files: Sequence[PlainFile] = ()
    scans: Sequence[Scan] = ()
    as_they_came: Callable[[str, Hidden], str] | None = None


def of_files(
    files: Sequence[PlainFile], schema: Schema, as_they_came: Callable[[str, Hidden], str] | None = None
) -> Beginning:
    """Raises RecordError for a file whose very start is wrong."""
    scans = [record_format(file.format).scan(file, schema) for file in files]
    origins = [Origin(file.name) for file in files]
    return Beginning(partial(source, scans), origins, files, scans, as_they_came)


def of_rows(paths: Sequence[Path], schema: Schema, origins: Sequence[Origin]) -> Beginning:
    """What the parts of a first stage have kept; `origins` are all slices of the input."""
    return Beginning(partial(all_rows, paths, schema), origins)
