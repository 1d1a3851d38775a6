"""A quick proof that reading JSON as pinned columns changes nothing. What it does not prove may be right all the same.

DuckDB refuses a key that it does not know, and one that is there twice, only where it has found the columns itself.
So here it finds them, all as JSON; the text of a JSON value shows its kind.
"""

from services.processor.domain.column_types import INTEGER_TYPES
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import quote_name, select
from services.processor.engine.formats.json_fits import JsonValue
from services.processor.engine.formats.json_fits import fits as exactly
from services.processor.engine.formats.record_format import Proof

_AS_FOUND = "records = 'true', maximum_depth = 1, map_inference_threshold = -1, sample_size = 4096"
_SURE_DIGITS = 15


def proof(path: str, options: str, schema: Schema) -> Proof:
    """All columns are looked at, even those that take anything: where one is not, unknown keys are not refused."""
    names = ", ".join(quote_name(column.name) for column in schema)
    # A record that is null looks like one without keys.
    fits = " AND ".join([*map(_surely_fits, schema), f"coalesce({names}) IS NOT NULL"])
    return Proof(select("*", f"read_json({path}, {options}, {_AS_FOUND})"), fits)


def _surely_fits(column: Column) -> str:
    name = quote_name(column.name)
    text = f"CAST({name} AS VARCHAR)"
    if column.type == "JSON":
        return "TRUE"
    if column.type == "VARCHAR":
        fits = f"{text} BETWEEN '\"' AND '#'"
    elif column.type == "BOOLEAN":
        fits = f"{text} IN ('true', 'false')"
    elif column.type in INTEGER_TYPES:
        fits = f"CAST(TRY_CAST({text} AS {column.type}) AS VARCHAR) = {text}"
    elif column.type == "DOUBLE":
        fits = f"{text} BETWEEN '-' AND ':' AND (strlen({text}) <= {_SURE_DIGITS} OR contains({text}, '.'))"
    else:
        fits = exactly(column, JsonValue(f"json_type({name})", f"({name} ->> '$')", f"json_type({name}, '$[*]')"))
    return f"({name} IS NULL OR {fits})"
