"""A checked pipeline as one query, from the scans of its files to the cells of its output."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.processor.domain.sql_text import quote_name, quote_text, select
from services.processor.domain.steps.step import Item, StepSql
from services.processor.engine.checking import CheckedPipeline
from services.processor.engine.formats.record_format import RecordFormat, Scan


@dataclass(frozen=True, slots=True)
class Origin:
    """The names of two columns beside those of the records: which file, and which record of it (from 1)."""

    file: str
    record: str

    @property
    def columns(self) -> str:
        return f"{quote_name(self.file)}, {quote_name(self.record)}"


def origin_for(checked: CheckedPipeline) -> Origin:
    """Names that no step uses."""
    schemas = [checked.input, checked.output, *(step.after for step in checked.steps)]
    used = {column.name.casefold() for schema in schemas for column in schema}
    names = []
    for name in ("file", "record"):
        free = name
        while free in used:
            free += "_"
        names.append(free)
    return Origin(*names)


def source(scans: Sequence[Scan], origin: Origin | None) -> str:
    """All records of all files, in order."""
    if origin is None:
        return " UNION ALL ".join(f"({scan.rows})" for scan in scans)
    number = f"row_number() OVER () AS {quote_name(origin.record)}"
    return " UNION ALL ".join(
        f"({select(f'{i} AS {quote_name(origin.file)}, {number}, *', f'({scan.rows})')})"
        for i, scan in enumerate(scans)
    )


def after_steps(checked: CheckedPipeline, rows: str, steps: int, origin: Origin | None) -> str:
    """The records after the first so many steps."""
    for step in checked.steps[:steps]:
        rows = _after_step(step.sql, rows, origin)
    return rows


def output_rows(checked: CheckedPipeline, rows: str, writer: RecordFormat, processed_at: str) -> str:
    """The records as the output's format writes them, stamped."""
    stamp = {"processed": "TRUE", "processed_at": quote_text(processed_at)} if checked.stamp else {}
    cells = [f"{stamp.get(one.name, writer.cell(one))} AS {quote_name(one.name)}" for one in checked.output]
    return select(", ".join(cells), f"({rows})")


def _after_step(step: StepSql, rows: str, origin: Origin | None) -> str:
    columns = ", ".join(_said(item) for item in step.items)
    rest = f"WHERE {step.where.sql}" if step.where else ""
    if step.order_by:
        ties = [origin.columns] if origin else []
        rest += f" ORDER BY {', '.join([*step.order_by, *ties])}"
    if step.limit is not None:
        rest += f" LIMIT {step.limit}"
    return select(f"{origin.columns}, {columns}" if origin else columns, f"({rows})", rest.strip())


def _said(item: Item) -> str:
    name = quote_name(item.name)
    return name if item.value.sql == name else f"{item.value.sql} AS {name}"
