"""What a step is for the columns that it meets, said as SQL: a selection, a grouping, a choice among equals, a join."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from services.processor.domain.aggregates import Aggregate
from services.processor.domain.pipeline_errors import Place
from services.processor.domain.schema_of_records import Column
from services.processor.domain.steps.keys import SortKey


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


class Shape(Protocol):
    @property
    def items(self) -> tuple[Item, ...]:
        """All the columns after the step."""
        ...

    @property
    def uses_order(self) -> bool:
        """Whether the order of the records before it decides what comes out, beyond the order of that."""
        ...

    @property
    def sorts(self) -> bool:
        """Whether it has to hold all records before it gives the first."""
        ...


@dataclass(frozen=True, slots=True)
class StepSql:
    """A step as one SELECT: its parts."""

    items: tuple[Item, ...]
    where: Value | None = None
    order_by: tuple[SortKey, ...] = ()
    limit: int | None = None

    @property
    def uses_order(self) -> bool:
        return bool(self.order_by)

    @property
    def sorts(self) -> bool:
        return bool(self.order_by)


@dataclass(frozen=True, slots=True)
class Measure:
    """An aggregate of one column. `value` says it so that its type can be told; the engine knows how to compute it."""

    name: str
    aggregate: Aggregate
    column: Column
    value: Value


@dataclass(frozen=True, slots=True)
class Grouping:
    """One record for each combination of the keys, in the order of the keys; one in all where there are none."""

    sorts: ClassVar[bool] = True
    keys: tuple[Item, ...]
    measures: tuple[Measure, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return (*self.keys, *(Item(measure.name, measure.value) for measure in self.measures))

    @property
    def uses_order(self) -> bool:
        return any(measure.aggregate.uses_order for measure in self.measures)


@dataclass(frozen=True, slots=True)
class Choice:
    """Of the records that are equal in `by`, the first in this order, or (`last`) the last; ties as they came."""

    uses_order: ClassVar[bool] = True
    sorts: ClassVar[bool] = True
    items: tuple[Item, ...]
    by: tuple[str, ...]
    order_by: tuple[SortKey, ...]
    last: bool


@dataclass(frozen=True, slots=True)
class Joining:
    """With the records of the pipeline's join `number`, where all `pairs` (ours, theirs) are equal."""

    uses_order: ClassVar[bool] = True
    sorts: ClassVar[bool] = True
    items: tuple[Item, ...]
    pairs: tuple[tuple[Column, Column], ...]
    how: str
    number: int
    added: tuple[Column, ...]
    """The last of the items, which come from there."""
