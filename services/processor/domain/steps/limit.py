"""`{"limit": 100}`: the first so many records, in the order in which they come."""

from dataclasses import dataclass
from typing import ClassVar

from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.steps.shapes import StepSql
from services.processor.domain.steps.step import Step, all_kept

_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Limit:
    needs_all_rows: ClassVar[bool] = True
    place: Place
    records: int

    def sql(self, schema: Schema) -> StepSql:
        return StepSql(all_kept(schema, self.place), limit=self.records)


def parse_limit(raw: object, place: Place) -> tuple[Step, ...]:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= _MOST:
        raise PipelineError(place, "a whole number of records is expected, such as 100")
    return (Limit(place, raw),)
