"""`{"cast": {"qty": "BIGINT"}}`: columns as another type. What does not fit, or would lose a fraction, fails."""

from dataclasses import dataclass
from typing import ClassVar

from services.processor.domain.column_types import UnknownType, parse_type
from services.processor.domain.expression_casts import cast_column
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.steps.names import column_of, parse_mapping
from services.processor.domain.steps.shapes import Item, StepSql, Value
from services.processor.domain.steps.step import Step, kept


@dataclass(frozen=True, slots=True)
class Cast:
    needs_all_rows: ClassVar[bool] = False
    place: Place
    types: dict[str, str]

    def sql(self, schema: Schema) -> StepSql:
        cast = {}
        for name, to_type in self.types.items():
            column = column_of(schema, name, self.place.at(name))
            cast[column.name] = Item(column.name, Value(cast_column(column, to_type), self.place.at(name)))
        return StepSql(tuple(cast.get(column.name, kept(column, self.place)) for column in schema))


def parse_cast(raw: object, place: Place) -> tuple[Step, ...]:
    mapping = parse_mapping(raw, place, '{"qty": "BIGINT"}')
    types = {}
    for name, raw_type in mapping.items():
        try:
            types[name] = parse_type(raw_type)
        except UnknownType as error:
            raise PipelineError(place.at(name), str(error)) from None
    return (Cast(place, types),)
