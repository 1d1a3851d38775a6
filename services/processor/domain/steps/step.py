"""What every step of a pipeline is: parsed from its config once, said as SQL for the columns that it meets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from services.processor.domain.nearest import did_you_mean, excerpt
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import quote_name

_LONGEST_NAME = 255


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


def column_of(schema: Schema, name: str, place: Place) -> Column:
    column = schema.find(name)
    if column is None:
        raise PipelineError(place, f'no column "{excerpt(name)}"; {did_you_mean(name, schema.names)}')
    return column


def parse_name(raw_name: object, place: Place) -> str:
    """A column's name, existing or new."""
    if not isinstance(raw_name, str) or not raw_name:
        raise PipelineError(place, "a column's name is text, and not empty")
    if len(raw_name) > _LONGEST_NAME or "\0" in raw_name:
        raise PipelineError(place, f"a column's name has at most {_LONGEST_NAME} characters, and no NUL")
    return raw_name


def parse_names(raw_names: object, place: Place) -> tuple[str, ...]:
    """A list of different columns, at least one."""
    if not isinstance(raw_names, list) or not raw_names:
        raise PipelineError(place, 'a list of column names is expected, such as ["id", "total"]')
    names = tuple(parse_name(raw, place.at(i)) for i, raw in enumerate(raw_names))
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name.casefold() in seen:
            raise PipelineError(place.at(i), f'the column "{excerpt(name)}" is named twice')
        seen.add(name.casefold())
    return names


def parse_mapping(raw: object, place: Place, example: str) -> dict[str, object]:
    """An object whose keys are column names, at least one."""
    if not isinstance(raw, dict) or not raw:
        raise PipelineError(place, f"an object is expected, such as {example}")
    mapping = {parse_name(name, place): value for name, value in raw.items()}
    parse_names(list(mapping), place)
    return mapping
