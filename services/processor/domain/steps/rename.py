"""`{"rename": {"ts": "timestamp"}}`: from the old name to the new one. Columns keep their places; names may swap."""

from dataclasses import dataclass
from typing import ClassVar

from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.steps.names import column_of, parse_mapping, parse_name
from services.processor.domain.steps.shapes import StepSql
from services.processor.domain.steps.step import Step, kept


@dataclass(frozen=True, slots=True)
class Rename:
    needs_all_rows: ClassVar[bool] = False
    place: Place
    names: dict[str, str]

    def sql(self, schema: Schema) -> StepSql:
        new_names = {column_of(schema, old, self.place.at(old)).name: new for old, new in self.names.items()}
        taken: set[str] = set()
        for column in sorted(schema, key=lambda column: column.name in new_names):
            new = new_names.get(column.name, column.name)
            if new.casefold() in taken:
                raise PipelineError(self.place.at(column.name), f'there would be two columns "{new}"; drop one before')
            taken.add(new.casefold())
        return StepSql(tuple(kept(column, self.place, new_names.get(column.name)) for column in schema))


def parse_rename(raw: object, place: Place) -> tuple[Step, ...]:
    mapping = parse_mapping(raw, place, '{"old_name": "new_name"}')
    return (Rename(place, {old: parse_name(new, place.at(old)) for old, new in mapping.items()}),)
