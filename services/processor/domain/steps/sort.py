"""`{"sort": ["-revenue", "country"]}`: by these columns, `-` for descending. NULL comes last; ties keep their order."""

from dataclasses import dataclass
from typing import ClassVar

from services.processor.domain.column_types import is_json
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.sql_text import quote_name
from services.processor.domain.steps.names import column_of, parse_names
from services.processor.domain.steps.step import StepSql, all_kept


@dataclass(frozen=True, slots=True)
class Sort:
    needs_all_rows: ClassVar[bool] = True
    place: Place
    names: tuple[str, ...]
    """As written; a name that starts with `-` is a column of that very name, if there is one."""

    def sql(self, schema: Schema) -> StepSql:
        keys = tuple(self._key(schema, name, self.place.at(i)) for i, name in enumerate(self.names))
        return StepSql(all_kept(schema, self.place), order_by=keys)

    def _key(self, schema: Schema, name: str, place: Place) -> str:
        descending = name.startswith("-") and schema.find(name) is None
        column = column_of(schema, name.removeprefix("-") if descending else name, place)
        if is_json(column.type):
            raise PipelineError(place, f'"{column.name}" holds JSON, which has no order; derive the part to sort by')
        return f"{quote_name(column.name)} {'DESC' if descending else 'ASC'} NULLS LAST"


def parse_sort(raw: object, place: Place) -> Sort:
    return Sort(place, parse_names(raw, place))
