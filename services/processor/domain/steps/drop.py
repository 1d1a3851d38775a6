"""`{"drop": ["card"]}`: all columns but these."""

from dataclasses import dataclass
from typing import ClassVar

from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.steps.names import column_of, parse_names
from services.processor.domain.steps.shapes import StepSql
from services.processor.domain.steps.step import Step, kept


@dataclass(frozen=True, slots=True)
class Drop:
    needs_all_rows: ClassVar[bool] = False
    place: Place
    names: tuple[str, ...]

    def sql(self, schema: Schema) -> StepSql:
        dropped = {column_of(schema, name, self.place.at(i)) for i, name in enumerate(self.names)}
        items = tuple(kept(column, self.place) for column in schema if column not in dropped)
        if not items:
            raise PipelineError(self.place, "no column would be left; keep at least one")
        return StepSql(items)


def parse_drop(raw: object, place: Place) -> tuple[Step, ...]:
    return (Drop(place, parse_names(raw, place)),)
