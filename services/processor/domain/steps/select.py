"""`{"select": ["day", "country", "total"]}`: these columns alone, in this order."""

from dataclasses import dataclass
from typing import ClassVar

from services.processor.domain.pipeline_errors import Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.steps.names import column_of, parse_names
from services.processor.domain.steps.shapes import StepSql
from services.processor.domain.steps.step import Step, kept


@dataclass(frozen=True, slots=True)
class Select:
    needs_all_rows: ClassVar[bool] = False
    place: Place
    names: tuple[str, ...]

    def sql(self, schema: Schema) -> StepSql:
        columns = [column_of(schema, name, self.place.at(i)) for i, name in enumerate(self.names)]
        return StepSql(tuple(kept(column, self.place) for column in columns))


def parse_select(raw: object, place: Place) -> tuple[Step, ...]:
    return (Select(place, parse_names(raw, place)),)
