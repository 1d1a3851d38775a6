"""What every step of a pipeline is: parsed from its config once, said as SQL for the columns that it meets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from services.processor.domain.pipeline_errors import Place
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import quote_name


@dataclass(frozen=True, slots=True)
class Value:
    """SQL over the columns before a step, and where it was written."""

    sql: str
    place: Place


@dataclass(frozen=True, slots=True)
class Item:
    """One column after a step. `type` is None where the engine has to tell."""

    name: str
    value: Value
    type: str | None = None


@dataclass(frozen=True, slots=True)
class StepSql:
    """A step, for given columns: its parts as a SELECT has them. `items` are all the columns after it."""

    items: tuple[Item, ...]
    where: Value | None = None
    order_by: tuple[str, ...] = ()
    limit: int | None = None


class Step(Protocol):
    needs_all_rows: ClassVar[bool]
    """Whether its result for one record depends on the others: then all objects are one partition."""

    @property
    def place(self) -> Place: ...

    def sql(self, schema: Schema) -> StepSql:
        """Raises PipelineError for a column that is not there."""
        ...


StepParser = Callable[[object, Place], Step]
"""Takes what stands under the step's key, and where. Raises PipelineError."""


def kept(column: Column, place: Place, name: str | None = None) -> Item:
    """A column that goes on as it is, maybe under another name."""
    return Item(name or column.name, Value(quote_name(column.name), place), column.type)


def all_kept(schema: Schema, place: Place) -> tuple[Item, ...]:
    return tuple(kept(column, place) for column in schema)
