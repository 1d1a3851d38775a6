"""Columns by which records are told apart, or ordered."""

from dataclasses import dataclass

from services.processor.domain.column_types import is_json
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import quote_name
from services.processor.domain.steps.names import column_of


@dataclass(frozen=True, slots=True)
class SortKey:
    """NULL comes last, whichever the direction."""

    sql: str
    descending: bool

    def said(self, *, backwards: bool = False) -> str:
        descending = self.descending != backwards
        return f"{self.sql} {'DESC' if descending else 'ASC'} NULLS {'FIRST' if backwards else 'LAST'}"


def key_column(schema: Schema, name: str, place: Place) -> Column:
    column = column_of(schema, name, place)
    if is_json(column.type):
        message = f'"{column.name}" holds JSON, which may say the same in several ways; derive the part that counts'
        raise PipelineError(place, message)
    if column.type.endswith("[]"):
        message = f"\"{column.name}\" holds lists; derive one value of it, as in array_to_string(x, ',')"
        raise PipelineError(place, message)
    return column


def sort_key(column: Column, *, descending: bool = False) -> SortKey:
    return SortKey(quote_name(column.name), descending)


def group_key(column: Column) -> str:
    """A column as what records are told apart by. The engine takes 0.0 and -0.0 for equal here, and there for two."""
    name = quote_name(column.name)
    return f"({name} + CAST(0 AS DOUBLE))" if column.type == "DOUBLE" else name
