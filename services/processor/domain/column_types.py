"""The closed list of types that a column may have, under DuckDB's names."""

import re

from shared.nearest import did_you_mean

_SYNONYMS = {
    "BOOL": "BOOLEAN",
    "INT": "INTEGER",
    "INT2": "SMALLINT",
    "INT4": "INTEGER",
    "INT8": "BIGINT",
    "LONG": "BIGINT",
    "INT128": "HUGEINT",
    "FLOAT8": "DOUBLE",
    "DOUBLE PRECISION": "DOUBLE",
    "NUMERIC": "DECIMAL",
    "TEXT": "VARCHAR",
    "STRING": "VARCHAR",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
}
INTEGER_TYPES = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT"})
SCALAR_TYPES = INTEGER_TYPES | {"BOOLEAN", "DOUBLE", "DECIMAL", "VARCHAR", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"}
TYPE_NAMES = tuple(sorted(SCALAR_TYPES | {"JSON"}))
_TYPE = re.compile(r"([A-Z][A-Z0-9 ]*?) *(?:\( *(\d{1,2}) *(?:, *(\d{1,2}) *)?\))? *((?:\[\] *)*)", re.ASCII)
_MOST_DIGITS = 38
_MOST_DIMENSIONS = 4


class UnknownType(ValueError):  # noqa: N818 - an error states the fact
    """Its text says what is known instead."""


def parse_type(raw_type: object) -> str:
    """The canonical name of a type: `decimal(10, 2)` → `DECIMAL(10,2)`, `text[]` → `VARCHAR[]`."""
    if not isinstance(raw_type, str):
        raise UnknownType(f'a type is text such as "BIGINT", not {type(raw_type).__name__}')
    match = _TYPE.fullmatch(raw_type.strip().upper()[:100])
    name = match[1] if match else raw_type[:100]
    name = _SYNONYMS.get(name, name)
    if match is None or name not in TYPE_NAMES:
        raise UnknownType(f'no type "{raw_type[:100]}"; {did_you_mean(name, TYPE_NAMES)}')
    if match[2] is not None and name != "DECIMAL":
        raise UnknownType(f"{name} takes no length")
    dimensions = match[4].count("[]")
    if dimensions > _MOST_DIMENSIONS:
        raise UnknownType(f"a list may nest {_MOST_DIMENSIONS} deep")
    return (_decimal(match[2], match[3]) if name == "DECIMAL" else name) + "[]" * dimensions


def is_json(column_type: str) -> bool:
    """Whether values are JSON texts, from which an expression has to pick a part."""
    return column_type.removesuffix("[]").rstrip("[]") == "JSON"


def _decimal(raw_width: str | None, raw_scale: str | None) -> str:
    width, scale = int(raw_width or 18), int(raw_scale or (0 if raw_width else 3))
    if not (1 <= width <= _MOST_DIGITS and scale <= width):
        raise UnknownType(f"DECIMAL(width,scale) holds 1 to {_MOST_DIGITS} digits, of which scale are behind the point")
    return f"DECIMAL({width},{scale})"
