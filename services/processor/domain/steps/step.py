"""What every step of a pipeline is: parsed from its config once, said as SQL for the columns that it meets."""

from collections.abc import Callable
from typing import ClassVar, Protocol

from services.processor.domain.pipeline_errors import Place
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import quote_name
from services.processor.domain.steps.shapes import Item, Shape, Value


class Step(Protocol):
    needs_all_rows: ClassVar[bool]
    """Whether its result for one record depends on the others: then it is done in a second stage, over all parts."""

    @property
    def place(self) -> Place: ...

    def sql(self, schema: Schema) -> Shape:
        """Raises PipelineError for a column that is not there."""
        ...


StepParser = Callable[[object, Place], tuple[Step, ...]]
"""Takes what stands under the step's key, and where. Raises PipelineError."""


def kept(column: Column, place: Place, name: str | None = None) -> Item:
    """A column that goes on as it is, maybe under another name."""
    return Item(name or column.name, Value(quote_name(column.name), place), column.type)


def all_kept(schema: Schema, place: Place) -> tuple[Item, ...]:
    return tuple(kept(column, place) for column in schema)
