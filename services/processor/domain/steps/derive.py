"""`{"derive": {"total": "price * quantity"}}`: new columns, or new values for columns that are there.

All expressions of one step see the columns as they were before it. A column that exists keeps its place; new ones
follow.
"""

from dataclasses import dataclass
from typing import ClassVar

from services.processor.domain.expressions import Expression, parse_expression
from services.processor.domain.pipeline_errors import Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.steps.names import parse_mapping
from services.processor.domain.steps.shapes import Item, StepSql, Value
from services.processor.domain.steps.step import Step, kept


@dataclass(frozen=True, slots=True)
class Derive:
    needs_all_rows: ClassVar[bool] = False
    place: Place
    expressions: dict[str, Expression]

    def sql(self, schema: Schema) -> StepSql:
        items = {column.name.casefold(): kept(column, self.place) for column in schema}
        for name, expression in self.expressions.items():
            items[name.casefold()] = Item(name, Value(expression.render(schema), expression.place))
        return StepSql(tuple(items.values()))


def parse_derive(raw: object, place: Place) -> tuple[Step, ...]:
    mapping = parse_mapping(raw, place, '{"total": "price * quantity"}')
    return (Derive(place, {name: parse_expression(text, place.at(name)) for name, text in mapping.items()}),)
