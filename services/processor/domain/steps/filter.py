"""`{"filter": "total < 1e6"}`: the records for which the expression is true (not those for which it is NULL)."""

from dataclasses import dataclass
from typing import ClassVar

from services.processor.domain.expressions import Expression, parse_expression
from services.processor.domain.pipeline_errors import Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.steps.shapes import StepSql, Value
from services.processor.domain.steps.step import Step, all_kept


@dataclass(frozen=True, slots=True)
class Filter:
    needs_all_rows: ClassVar[bool] = False
    place: Place
    condition: Expression

    def sql(self, schema: Schema) -> StepSql:
        return StepSql(all_kept(schema, self.place), where=Value(self.condition.render(schema), self.place))


def parse_filter(raw: object, place: Place) -> tuple[Step, ...]:
    return (Filter(place, parse_expression(raw, place)),)
