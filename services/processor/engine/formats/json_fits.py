"""Whether a JSON value can be read as a column's type without any change, said as SQL."""

from dataclasses import dataclass

from services.processor.domain.column_types import INTEGER_TYPES
from services.processor.domain.schema_of_records import Column

_INTEGERS, _NUMBERS = "'BIGINT', 'UBIGINT'", "'BIGINT', 'UBIGINT', 'DOUBLE'"
_KINDS = {
    **dict.fromkeys(INTEGER_TYPES, _INTEGERS),
    "HUGEINT": _NUMBERS,  # the engine calls an integer of more than 64 bits a DOUBLE, but keeps its digits
    "DOUBLE": _NUMBERS,
    "DECIMAL": f"'VARCHAR', {_NUMBERS}",
    "BOOLEAN": "'BOOLEAN'",
}


@dataclass(frozen=True, slots=True)
class JsonValue:
    """SQL for a value: its kind in DuckDB's words, its text (of a text without the quotes), its elements' kinds."""

    kind: str
    text: str
    kinds_of_elements: str


def fits(column: Column, value: JsonValue, *, slowly: bool = False) -> str:
    """SQL that is false where reading would change the value; NULL where the key is missing.

    Each mention of `kind` costs, and CASE alone computes no more than it needs.
    """
    if column.type == "JSON":
        return "TRUE"
    kind = value.kind
    kinds = _KINDS.get(column.type.removesuffix("[]").split("(")[0], "'VARCHAR'")
    if column.type.endswith("[]"):
        elements = f"list_has_all([{kinds}, 'NULL'], {value.kinds_of_elements})"
        return f"(CASE {kind} WHEN 'ARRAY' THEN {elements} ELSE {kind} = 'NULL' END)"
    if column.type in {"VARCHAR", "BOOLEAN"} or (column.type == "BIGINT" and not slowly):
        return f"({kind} IN ({kinds}, 'NULL'))"  # out of range, it fails when it is read
    harmless = "'DOUBLE', 'NULL'" if column.type == "DOUBLE" and not slowly else "'NULL'"  # reading refuses infinity
    text = value.text
    is_finite = f"WHEN {kind} = 'DOUBLE' THEN isfinite(CAST({text} AS DOUBLE)) " if column.type == "DOUBLE" else ""
    exact = f"CASE {is_finite}WHEN {kind} IN ({kinds}) THEN {_exact(column.type, text)} ELSE {kind} IS NULL END"
    return f"(CASE WHEN {kind} IN ({harmless}) THEN TRUE ELSE {exact} END)"


def keeps_its_time(text: str) -> str:
    """Whether a text is a TIMESTAMP as it stands: one with another zone than UTC would lose it."""
    return f"coalesce(CAST(TRY_CAST({text} AS TIMESTAMPTZ) AS TIMESTAMP) = TRY_CAST({text} AS TIMESTAMP), FALSE)"


def _exact(column_type: str, text: str) -> str:
    """Of a value of the right kind: that the type holds it exactly."""
    if column_type == "DOUBLE":
        return f"CAST(CAST({text} AS DOUBLE) AS HUGEINT) = CAST({text} AS HUGEINT)"
    cast = f"TRY_CAST({text} AS {column_type})"
    if column_type in INTEGER_TYPES:
        return f"regexp_full_match({text}, '-?[0-9]+') AND {cast} IS NOT NULL"
    if column_type.startswith("DECIMAL"):
        return f"coalesce(CAST({cast} AS DOUBLE) = TRY_CAST({text} AS DOUBLE), FALSE)"
    if column_type == "TIMESTAMP":
        return keeps_its_time(text)
    return f"{cast} IS NOT NULL"
