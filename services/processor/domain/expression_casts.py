"""Casts as SQL. To whole numbers they are exact: a fraction is an error (with TRY_CAST: NULL), never rounded away."""

import re

from services.processor.domain.column_types import INTEGER_TYPES, is_json
from services.processor.domain.schema_of_records import Column
from services.processor.domain.sql_text import quote_name

# A part of the engine's own error: its function error() can't be tried again to find the record.
_WOULD_LOSE = "has a fraction; ROUND it first"


def cast_column(column: Column, to_type: str) -> str:
    """A whole column as another type, as the step `cast` wants it."""
    scalar_of_json = is_json(column.type) and to_type != "JSON" and not to_type.endswith("[]")
    name = quote_name(column.name)
    return cast_sql(f"({name} ->> '$')" if scalar_of_json else name, to_type)


def cast_sql(sql: str, to_type: str, cast: str = "CAST") -> str:
    """A cast that loses nothing where the target is whole."""
    plain = f"{cast}({sql} AS {to_type})"
    if to_type not in INTEGER_TYPES or re.fullmatch(r"[0-9]+", sql):
        return plain
    number = f"TRY_CAST({sql} AS DOUBLE)"  # what is no number is for the cast itself to say
    loss = "NULL" if cast == "TRY_CAST" else f"CAST(CAST({sql} AS VARCHAR) || ' {_WOULD_LOSE}' AS {to_type})"
    return f"(CASE WHEN {number} <> trunc({number}) THEN {loss} ELSE {plain} END)"
