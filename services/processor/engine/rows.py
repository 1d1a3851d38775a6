"""Rows between two stages: Parquet that keeps every value as it is, the order of records and where they come from.

Columns have names of ours in it: `p` is the position, `o` the origin (see `queries.Hidden`), counted over all slices
of the input, and `c0`, `c1`… are the records' own.
"""

from collections.abc import Sequence
from pathlib import Path

from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import quote_name, quote_text, select
from services.processor.domain.steps.shapes import Choice, Shape, StepSql
from services.processor.engine.checking import CheckedStep
from services.processor.engine.queries import RECORD_BITS, Hidden

COPY_OPTIONS = "FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, ROW_GROUP_SIZE 16384"
"""For one thread: several would cut the groups of rows where they happen to meet."""


def steps_ahead(steps: Sequence[CheckedStep]) -> int:
    """How many of a second stage's steps each part may do for itself before, without changing what comes of all.

    The first records of all are among the first of each part, be it as they come, in the order of a sort, or among
    equals.
    """
    first, *others = [step.sql for step in steps[:2]]
    if isinstance(first, Choice) or _is_limit(first):
        return 1
    return 2 if isinstance(first, StepSql) and first.order_by and any(map(_is_limit, others)) else 0


def kept_rows(rows: str, schema: Schema, hidden: Hidden, *, slices_before: int) -> str:
    """The records of a part as its file keeps them; `hidden` has an origin."""
    before = slices_before << RECORD_BITS
    numbers = [f"{before} + row_number() OVER () AS p", f"{before} + {hidden.names[1]} AS o"]
    cells = [f"{_kept(column)} AS c{i}" for i, column in enumerate(schema)]
    return select(", ".join([*numbers, *cells]), f"({rows})")


def all_rows(paths: Sequence[Path], schema: Schema, hidden: Hidden | None) -> str:
    """The records of all parts, in order."""
    numbers = [f"{ours} AS {name}" for ours, name in zip("po", hidden.names if hidden else (), strict=False)]
    cells = [f"CAST(c{i} AS {column.type}) AS {quote_name(column.name)}" for i, column in enumerate(schema)]
    files = ", ".join(quote_text(str(path)) for path in paths)
    read = f"read_parquet([{files}], hive_partitioning = false, union_by_name = false, binary_as_string = false)"
    return select(", ".join([*numbers, *cells]), read)


def _is_limit(shape: Shape) -> bool:
    return isinstance(shape, StepSql) and shape.limit is not None


def _kept(column: Column) -> str:
    """Parquet has no integer of 128 bits."""
    name = quote_name(column.name)
    base, *dimensions = column.type.split("[", 1)
    return f"CAST({name} AS VARCHAR{''.join('[' + rest for rest in dimensions)})" if base == "HUGEINT" else name
