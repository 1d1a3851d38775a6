"""Parquet, whole files. The columns and their types stand in the footer, so no record is looked at to find them.

A type that we lack is read as the next wider one that keeps every value; one that has none is an error.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from services.processor.domain.column_types import UnknownType, parse_type
from services.processor.domain.excerpts import excerpt
from services.processor.domain.formats import Compression
from services.processor.domain.parquet_footers import LARGEST_FOOTER_BYTES, broken_parquet, check_footer
from services.processor.domain.pipeline_errors import RecordError
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import quote_name, quote_text, select
from services.processor.engine.files import PlainFile
from services.processor.engine.formats.record_format import Proof, Sample, Scan
from services.processor.engine.session import Stop, open_describer

_ROWS_OF_A_GROUP = 122_880
_KEPT_BY = {
    "FLOAT": "DOUBLE",
    "UTINYINT": "SMALLINT",
    "USMALLINT": "INTEGER",
    "UINTEGER": "BIGINT",
    "UUID": "VARCHAR",
    "TIMESTAMP_NS": "TIMESTAMP",
}
_NULLS = '"NULL"'
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")


@dataclass(frozen=True, slots=True)
class ParquetRecords:
    keeps_anything: str = "VARCHAR"

    def copy_options(self, _compression: Compression, /) -> str:
        """Each column is packed by itself, and every reader of today knows zstd."""
        return f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS_OF_A_GROUP}"

    @property
    def needs_one_thread(self) -> bool:
        """Several cut the groups of rows where they happen to meet."""
        return True

    def infer(self, sample: Sample, *, leaves_out: bool) -> dict[str, str | None]:  # noqa: ARG002 - no record is read
        with TemporaryDirectory() as folder:
            path = Path(folder) / "footer"
            path.write_bytes(sample.content if sample.is_whole else sample.content[:4] + sample.ending)
            found = _columns_of(path, sample.name)
        return {name: None if native == _NULLS else _known(native, name, sample.name) for name, native in found.items()}

    def merge(self, first: str | None, second: str | None) -> str | None:
        """The wider of two integers; else as the first object has it, which the others are then checked against."""
        if first in _INTEGERS and second in _INTEGERS:
            return max(first, second, key=_INTEGERS.index)
        return first or second

    def whole_records(self, sample: Sample) -> bytes:
        return sample.content

    def scan(self, file: PlainFile, schema: Schema) -> Scan:
        """An object without any byte has no records."""
        found = _columns_of(file.path, file.name) if file.path.stat().st_size else {}
        _check_known(found, schema, file.name)
        read = _read(file.path, file.most) if found else "SELECT NULL WHERE FALSE"
        fits = tuple(_fits(column, found) for column in schema)
        texts = (f"CAST({quote_name(one.name)} AS VARCHAR)" if one.name in found else "NULL" for one in schema)
        return Scan(
            rows=select(", ".join(_as_pinned(column, found) for column in schema), f"({read})"),
            raw=read,
            is_record="TRUE",
            fits=fits,
            fits_exactly=fits,
            texts=tuple(texts),
        )

    def proof(self, _file: PlainFile, _schema: Schema, /) -> Proof | None:
        return None

    def find_unreadable(self, file: PlainFile, _schema: Schema, /, stop: Stop) -> RecordError | None:
        """What can't be read is a page of many records, so there is no first one."""
        stop.check()
        message = "a part of it is damaged, or a text in it is no UTF-8, or no JSON where its column is JSON"
        return RecordError(message, object_name=file.name, remedy="write and upload it again")

    def empty(self, _schema: Schema, /) -> bytes | None:
        return None

    def cell(self, column: Column) -> str:
        """Parquet has no integer of 128 bits: DuckDB would round it to a DOUBLE. A DECIMAL keeps 38 digits."""
        name = quote_name(column.name)
        base, *dimensions = column.type.split("[", 1)
        if base != "HUGEINT":
            return name
        return f"CAST({name} AS DECIMAL(38,0){''.join('[' + rest for rest in dimensions)})"


PARQUET_RECORDS = ParquetRecords()


def _columns_of(path: Path, name: str) -> dict[str, str]:
    """Names and types, in DuckDB's words. Raises RecordError for a footer that can't be read, or names that clash."""
    check_footer(_ending_of(path), name)
    try:
        with open_describer([path]) as session:
            found = dict(session.columns(_read(path)))
            tree = session.rows(select("name, num_children", f"parquet_schema({quote_text(str(path))})"))
    except duckdb.Error:
        raise broken_parquet(name) from None
    names = _outermost([(str(one), int(str(children or 0))) for one, children in tree])
    if "" in names:
        raise RecordError("a column has no name", object_name=name, remedy="give it one")
    renamed = next((one for one in names if one not in found), None) or _first_double(names)
    if renamed is not None:
        message = "another column has this name, or one that differs by case alone"
        raise RecordError(message, object_name=name, column=excerpt(renamed), remedy="rename one")
    return found


def _ending_of(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LARGEST_FOOTER_BYTES))
        return file.read()


def _outermost(tree: list[tuple[str, int]]) -> list[str]:
    """The names below the root of a tree that is written depth first, each with how many children it has."""
    names, open_below = [], 0
    for name, children in tree[1:]:
        if not open_below:
            names.append(name)
        open_below += children - bool(open_below)
    return names


def _first_double(names: list[str]) -> str | None:
    return next((one for i, one in enumerate(names) if one in names[:i]), None)


def _check_known(found: Mapping[str, str], schema: Schema, name: str) -> None:
    for column, native in found.items():
        known = None if native == _NULLS else _known(native, column, name)
        if column not in schema.names:
            message = "this column is in no object that the columns were taken from"
            remedy = f'say config.input.schema: {{"{excerpt(column)}": "{known or "VARCHAR"}"}}'
            raise RecordError(message, object_name=name, column=excerpt(column), remedy=remedy)


def _known(native: str, column: str, name: str) -> str:
    """The type of ours that keeps each of its values, or may: `_fits` tells."""
    try:
        return _ours(native)
    except UnknownType:
        message = f"its type, {excerpt(native)}, is none that a column may have"
        remedy = "write the file without it, or with its values as texts, numbers, times, or lists of these"
        raise RecordError(message, object_name=name, column=excerpt(column), remedy=remedy) from None


def _ours(native: str) -> str:
    """Raises UnknownType where there is none."""
    base = native.split("[", 1)[0]
    return parse_type(_KEPT_BY.get(base, base) + native[len(base) :])


def _as_pinned(column: Column, found: Mapping[str, str]) -> str:
    name = quote_name(column.name)
    if column.name not in found:
        return f"CAST(NULL AS {column.type}) AS {name}"
    return f"CAST({name} AS {column.type}) AS {name}"


def _fits(column: Column, found: Mapping[str, str]) -> str:
    """Whether a value is the same when it is read as the column's type and taken back."""
    native = found.get(column.name, _NULLS)
    if native == _NULLS:
        return "TRUE"
    name, base = quote_name(column.name), native.split("[", 1)[0]
    if base != "TIMESTAMP_NS" and _ours(native) == column.type:
        return "TRUE"
    back = f"TRY_CAST(TRY_CAST({name} AS {column.type}) AS {native})"
    return f"({name} IS NULL OR coalesce({back} = {name}, FALSE))"


def _read(path: Path, most: int | None = None) -> str:
    options = "hive_partitioning = false, union_by_name = false, binary_as_string = false"
    limit = "" if most is None else f"LIMIT {most}"
    return select("*", f"read_parquet({quote_text(str(path))}, {options})", limit)
