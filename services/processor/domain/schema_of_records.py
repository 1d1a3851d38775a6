"""The columns of a set of records: ordered names with types. Pinned in a job's plan, so that a rerun reads the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.processor.domain.column_types import parse_type


class ColumnsDifferByCase(ValueError):  # noqa: N818 - an error states the fact
    """Two columns that the engine can't tell apart."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f'the columns "{first}" and "{second}" differ by case alone')
        self.first = first
        self.second = second


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Schema:
    """No two names are equal when case is ignored; no name is empty."""

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for column in self.columns:
            folded = column.name.casefold()
            if folded in seen:
                raise ColumnsDifferByCase(seen[folded], column.name)
            seen[folded] = column.name

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def find(self, name: str) -> Column | None:
        """The column of this name; case counts only when there is a choice."""
        folded = name.casefold()
        return next((column for column in self.columns if column.name.casefold() == folded), None)

    def to_json(self) -> dict[str, str]:
        """`{name: type}`, in order: the form of `config.input.schema`, of a preview and of a plan."""
        return {column.name: column.type for column in self.columns}


def schema_from_json(schema: Mapping[str, str]) -> Schema:
    """The other way of `Schema.to_json`, for a plan that we wrote ourselves."""
    return Schema(tuple(Column(name, parse_type(column_type)) for name, column_type in schema.items()))
