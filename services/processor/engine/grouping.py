"""Aggregates as SQL: they give the same whichever thread meets which record, and come in the order of the keys.

The engine's own sum of DOUBLE rounds at each addition, in whatever order its threads add. Here numbers of about the
same size are added exactly, as whole multiples of one power of two; only these few sums are rounded, by size.
"""

from collections.abc import Sequence

from services.processor.domain.sql_text import quote_name, select
from services.processor.domain.steps.shapes import Grouping, Measure

_SIGNIFICANT = 52
_BITS = 40
"""Numbers whose exponents differ by less have one sum: with the bits of a number HUGEINT has room for 2^34 of them."""

_SMALLEST = -24
"""Numbers below 2^-960 count as multiples of 2^-1012: a smaller power of two has no inverse."""

_NOT_FINITE = 100


def grouped(shape: Grouping, rows: str, position: str) -> str:
    """A record a group. `position` is the column by which `first` and `last` go, if there is one."""
    keys = [f"k{i}" for i in range(len(shape.keys))]
    columns = [f"{quote_name(key.name)} AS k{i}" for i, key in enumerate(shape.keys)]
    columns += [f"{quote_name(one.column.name)} AS a{i}" for i, one in enumerate(shape.measures)]
    arguments = select(", ".join([*columns, *([f"{position} AS p"] if position else [])]), f"({rows})")
    exact = [i for i, measure in enumerate(shape.measures) if _is_exact(measure)]
    plain = [f"{_measure(one, i)} AS m{i}" for i, one in enumerate(shape.measures) if i not in exact]
    # The count makes it an aggregate, if nothing else does.
    joined = f"({select(', '.join([*keys, *plain, 'count(*) AS n']), 'arguments', _by(keys))}) AS whole"
    for i in exact:
        equal = " AND ".join(f"whole.{key} IS NOT DISTINCT FROM exact{i}.{key}" for key in keys) or "TRUE"
        joined += f" LEFT JOIN ({_sums(shape.measures[i], i, keys)}) AS exact{i} ON {equal}"
    named = [f"whole.k{i} AS {quote_name(key.name)}" for i, key in enumerate(shape.keys)]
    named += [f"m{i} AS {quote_name(one.name)}" for i, one in enumerate(shape.measures)]
    order = ", ".join(f"whole.{key} ASC NULLS LAST" for key in keys)
    groups = select(", ".join(named), joined, f"ORDER BY {order}" if order else "")
    return f"WITH arguments AS {'MATERIALIZED' if exact else 'NOT MATERIALIZED'} ({arguments}) {groups}"


def _is_exact(measure: Measure) -> bool:
    return measure.aggregate.adds_up and measure.column.type == "DOUBLE"


def _by(columns: Sequence[str]) -> str:
    return f"GROUP BY {', '.join(columns)}" if columns else ""


def _measure(measure: Measure, number: int) -> str:
    argument = f"a{number}"
    if measure.aggregate.uses_order:
        return f"{'arg_min_null' if measure.aggregate.name == 'first' else 'arg_max_null'}({argument}, p)"
    if measure.column.type == "DOUBLE":  # 0.0 and -0.0 are equal: either could be the least, and would count as two
        argument = f"{argument} + CAST(0 AS DOUBLE)"
    return f"{measure.aggregate.name}({'DISTINCT ' if measure.aggregate.distinct else ''}{argument})"


def _sums(measure: Measure, number: int, keys: Sequence[str]) -> str:
    """For each group its sum or average, `m{number}`."""
    sized = (
        f"CASE WHEN NOT isfinite(x) THEN {_NOT_FINITE} WHEN x = 0 THEN {_SMALLEST}"
        f" ELSE greatest(CAST(floor(log2(abs(x)) / {_BITS}) AS INTEGER), {_SMALLEST}) END AS size"
    )
    values = select(", ".join([*keys, f"a{number} AS x"]), "arguments", f"WHERE a{number} IS NOT NULL")
    sizes = select(", ".join([*keys, "x", sized]), f"({values})")
    unit = f"CASE WHEN size = {_NOT_FINITE} THEN 1.0 ELSE pow(2.0, {_SIGNIFICANT} - {_BITS} * size) END AS unit"
    units = select(", ".join([*keys, "x", "size", unit]), f"({sizes})")
    finite = f"sum(CASE WHEN size < {_NOT_FINITE} THEN CAST(x * unit AS HUGEINT) END)"
    part = f"coalesce(CAST({finite} AS DOUBLE) / unit, sum(CASE WHEN size = {_NOT_FINITE} THEN x END)) AS part"
    parts = select(", ".join([*keys, "size", part, "count(*) AS n"]), f"({units})", _by([*keys, "size", "unit"]))
    total = "sum(part ORDER BY size DESC)"
    said = f"{total} / sum(n)" if measure.aggregate.name == "avg" else total
    return select(", ".join([*keys, f"{said} AS m{number}"]), f"({parts})", _by(keys))
