"""docs/reference/values.md: what becomes of a value from format to format."""

from docs.generators.markdown import code, page, table
from docs.generators.value_cases import VALUES, Row

_INTRODUCTION = """What a job writes of a value, by the format that it is read from and the one it is written in. JSON
stands for arrays and NDJSON alike. *Read as* is the type that `input.schema` says; without one the first records tell.
Parquet is shown as SQL where it is read, and as type and text where it is written. Each cell of these tables is held
against the engine by a test.

What its column can't hold is an error that names the record, or, with `on_bad_record`, leaves that record out. A number
of JSON that has a fraction is a DOUBLE, as most readers of JSON take it (RFC 8259 section 6): say DECIMAL where each
digit counts. Numbers may be written otherwise than they were, but are equal. Whole numbers of more than 64 bits become
DECIMAL(38,0) in Parquet, lists and objects are JSON in a CSV, and a TIMESTAMPTZ is told in UTC.

Structs, maps, bytes and intervals of Parquet are errors that name the column: none of the other formats could give
them back. Nested values go to Parquet as JSON, and come back from it as that."""

_HEAD = ("from", "written", "read as", "to JSON", "to CSV", "to Parquet")
_FORMS = {"json": "JSON", "csv": "CSV", "parquet": "Parquet"}


def values_page() -> str:
    tables = [f"## {title}\n\n{table(_HEAD, list(map(_cells, rows)))}" for title, rows in VALUES.items()]
    return page("Values", _INTRODUCTION, *tables)


def _cells(row: Row) -> list[str]:
    written = "no such key" if row.written is None else _shown(row.written)
    made = [row.json, row.csv, row.parquet]
    if row.json == row.csv == row.parquet and row.json.startswith("error: "):
        made = [row.json, "the same", "the same"]
    return [_FORMS[row.form], written, code(row.type) if row.type else "", *map(_shown, made)]


def _shown(text: str) -> str:
    """What can't be seen, or looks like something else, as JSON escapes it."""
    if text.startswith("error: ") or text == "the same":
        return text
    seen = "".join(char if char.isprintable() and not _combines(char) else f"\\u{ord(char):04x}" for char in text)
    return code(seen) if seen else "(nothing)"


def _combines(char: str) -> bool:
    return "\u0300" <= char <= "\u036f"
