"""`{"sort": ["-revenue", "country"]}`: by these columns, `-` for descending. NULL comes last; ties keep their order."""

from dataclasses import dataclass
from typing import ClassVar

from services.processor.domain.column_types import is_json
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.steps.keys import SortKey, sort_key
from services.processor.domain.steps.names import column_of, parse_names
from services.processor.domain.steps.shapes import StepSql
from services.processor.domain.steps.step import Step, all_kept


@dataclass(frozen=True, slots=True)
class Sort:
    needs_all_rows: ClassVar[bool] = True
    place: Place
    names: tuple[str, ...]
    """As written; a name that starts with `-` is a column of that very name, if there is one."""

    def sql(self, schema: Schema) -> StepSql:
        return StepSql(all_kept(schema, self.place), order_by=sort_keys(schema, self.names, self.place))


def sort_keys(schema: Schema, names: tuple[str, ...], place: Place) -> tuple[SortKey, ...]:
    return tuple(_key(schema, name, place.at(i)) for i, name in enumerate(names))


def _key(schema: Schema, name: str, place: Place) -> SortKey:
    descending = name.startswith("-") and schema.find(name) is None
    column = column_of(schema, name.removeprefix("-") if descending else name, place)
    if is_json(column.type):
        raise PipelineError(place, f'"{column.name}" holds JSON, which has no order; derive the part to sort by')
    return sort_key(column, descending=descending)


def parse_sort(raw: object, place: Place) -> tuple[Step, ...]:
    return (Sort(place, parse_names(raw, place)),)
