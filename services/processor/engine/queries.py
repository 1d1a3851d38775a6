"""A checked pipeline as one query, from the scans of its files to the cells of its output."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.processor.domain.sql_text import quote_name, quote_text, select
from services.processor.domain.steps.shapes import Choice, Grouping, Item, Joining, Shape, StepSql
from services.processor.engine.checking import CheckedPipeline
from services.processor.engine.formats.record_format import RecordFormat, Scan
from services.processor.engine.grouping import grouped

RECORD_BITS = 48
RECORD_MASK = (1 << RECORD_BITS) - 1


@dataclass(frozen=True, slots=True)
class Hidden:
    """The names of columns beside those of the records, where something depends on their order.

    `position`: the records come in its order, and no two are the same. `origin`, for who looks for a record: which
    file it came from and which record it is there (`where` tells them apart), or which one of those that an
    aggregate gave.
    """

    position: str
    origin: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(quote_name(name) for name in (self.position, self.origin) if name is not None)


def hidden_for(checked: CheckedPipeline, *, with_origin: bool) -> Hidden:
    """Names that no step uses."""
    schemas = [checked.input, checked.output, *(step.after for step in checked.steps)]
    used = {column.name.casefold() for schema in schemas for column in schema}
    names = []
    for name in ("position", "origin"):
        free = name
        while free in used:
            free += "_"
        names.append(free)
    return Hidden(names[0], names[1] if with_origin else None)


def hidden_if_used(checked: CheckedPipeline, done: int) -> Hidden | None:
    """None where no step behind the first so many looks at the order, so that nothing has to be numbered."""
    used = any(step.sql.uses_order for step in checked.steps[done:])
    return hidden_for(checked, with_origin=False) if used else None


def where(origin: int) -> tuple[int, int]:
    """The place of the file, and the record in it, from 1."""
    return origin >> RECORD_BITS, origin & RECORD_MASK


def source(scans: Sequence[Scan], hidden: Hidden | None) -> str:
    """All records of all files, in order."""
    if hidden is None:
        return " UNION ALL ".join(f"({scan.rows})" for scan in scans)
    return " UNION ALL ".join(f"({_numbered(scan, i, hidden)})" for i, scan in enumerate(scans))


def after_steps(
    checked: CheckedPipeline,
    rows: str,
    steps: int,
    hidden: Hidden | None,
    joined: Sequence[str] = (),
    *,
    done: int = 0,
    numbered_after: bool = False,
) -> str:
    """The records after the first so many steps, `done` of which `rows` have behind them.

    `joined` are the records that the joins read. `numbered_after`: their positions are to be right then, too.
    """
    for i, step in enumerate(checked.steps[:steps]):
        if i < done:
            continue
        later = checked.steps[i + 1 :]
        numbered = hidden is not None and (numbered_after or any(one.sql.uses_order for one in later))
        if isinstance(step.sql, Joining) and hidden is not None:
            rows = _joined(step.sql, rows, joined[step.sql.number], hidden, numbered=numbered)
        else:
            rows = _after_step(step.sql, rows, hidden, numbered=numbered)
    return rows


def output_rows(checked: CheckedPipeline, rows: str, writer: RecordFormat, processed_at: str) -> str:
    """The records as the output's format writes them, stamped."""
    stamp = _stamp(checked, processed_at)
    cells = [f"{stamp.get(one.name, writer.cell(one))} AS {quote_name(one.name)}" for one in checked.output]
    return select(", ".join(cells), f"({rows})")


def rows_to_split(checked: CheckedPipeline, rows: str, writer: RecordFormat, processed_at: str) -> str:
    """The same as `Splitting` takes them: the values that they are split by are texts, whatever the format."""
    stamp = _stamp(checked, processed_at)
    cells = [f"{stamp.get(one.name, writer.cell(one))} AS c{i}" for i, one in enumerate(checked.written)]
    keys = [stamp.get(one.name, quote_name(one.name)) for one in checked.partition_by]
    keys = [f"CAST({key} AS VARCHAR) AS k{i}" for i, key in enumerate(keys)]
    return select(", ".join([*keys, *cells]), f"({rows})")


def _stamp(checked: CheckedPipeline, processed_at: str) -> dict[str, str]:
    return {"processed": "TRUE", "processed_at": quote_text(processed_at)} if checked.stamp else {}


def _numbered(scan: Scan, file: int, hidden: Hidden) -> str:
    number = f"CAST({file << RECORD_BITS} + row_number() OVER () AS BIGINT)"
    return select(", ".join([*(f"{number} AS {name}" for name in hidden.names), "*"]), f"({scan.rows})")


def _after_step(shape: Shape, rows: str, hidden: Hidden | None, *, numbered: bool) -> str:
    """`numbered`: whether the positions are to be right where the order has changed."""
    if isinstance(shape, Grouping):
        return _aggregated(shape, rows, hidden, numbered=numbered)
    if isinstance(shape, Choice) and hidden is not None:
        return _chosen(shape, rows, hidden)
    assert isinstance(shape, StepSql)  # noqa: S101 - these are all shapes
    names = hidden.names if hidden else ()
    rest = f"WHERE {shape.where.sql}" if shape.where else ""
    if shape.order_by and hidden is not None:
        order = [*(key.said() for key in shape.order_by), quote_name(hidden.position)]
        rest += f" ORDER BY {', '.join(order)}"
    if shape.limit is not None:
        rest += f" LIMIT {shape.limit}"
    selected = select(", ".join([*names, *map(_said, shape.items)]), f"({rows})", rest.strip())
    return _renumbered(shape, selected, hidden) if shape.order_by and hidden is not None and numbered else selected


def _renumbered(shape: Shape, rows: str, hidden: Hidden) -> str:
    columns = [quote_name(item.name) for item in shape.items]
    number = f"row_number() OVER () AS {quote_name(hidden.position)}"
    return select(", ".join([number, *hidden.names[1:], *columns]), f"({rows})")


def _chosen(shape: Choice, rows: str, hidden: Hidden) -> str:
    position = quote_name(hidden.position)
    order = [key.said(backwards=shape.last) for key in shape.order_by]
    order.append(f"{position} {'DESC' if shape.last else 'ASC'}")
    number = f"row_number() OVER (PARTITION BY {', '.join(shape.by)} ORDER BY {', '.join(order)})"
    columns = ", ".join([*hidden.names, *map(_said, shape.items)])
    return select(columns, f"({rows})", f"QUALIFY {number} = 1 ORDER BY {position}")


def _joined(shape: Joining, rows: str, others: str, hidden: Hidden, *, numbered: bool) -> str:
    position = quote_name(hidden.position)
    theirs = dict.fromkeys(quote_name(column.name) for column in (*(pair[1] for pair in shape.pairs), *shape.added))
    others = select(", ".join([f"row_number() OVER () AS {position}", *theirs]), f"({others})")
    equal = " AND ".join(f"ours.{quote_name(one.name)} = theirs.{quote_name(other.name)}" for one, other in shape.pairs)
    ours = [quote_name(item.name) for item in shape.items[: len(shape.items) - len(shape.added)]]
    columns = [f"ours.{name} AS {name}" for name in (*hidden.names, *ours)]
    columns += [f"theirs.{quote_name(column.name)} AS {quote_name(column.name)}" for column in shape.added]
    order = f"ours.{position}, theirs.{position}" if shape.how in {"left", "inner"} else f"ours.{position}"
    both = f"({rows}) AS ours {shape.how.upper()} JOIN ({others}) AS theirs ON {equal}"
    selected = select(", ".join(columns), both, f"ORDER BY {order}")
    return _renumbered(shape, selected, hidden) if numbered else selected


def _aggregated(shape: Grouping, rows: str, hidden: Hidden | None, *, numbered: bool) -> str:
    groups = grouped(shape, rows, quote_name(hidden.position) if hidden else "")
    if hidden is None:
        return groups
    number = "row_number() OVER ()" if numbered else "CAST(0 AS BIGINT)"
    columns = [quote_name(item.name) for item in shape.items]
    return select(", ".join([*(f"{number} AS {name}" for name in hidden.names), *columns]), f"({groups})")


def _said(item: Item) -> str:
    name = quote_name(item.name)
    return name if item.value.sql == name else f"{item.value.sql} AS {name}"
