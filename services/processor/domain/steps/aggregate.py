"""`{"aggregate": {"by": ["day"], "measures": {"total": "SUM(price * qty)", "orders": "COUNT(*)"}}}`: groups of records.

One record for each combination of the columns `by` comes out, in their order, with the measures behind. Without `by`
it is one for all, even where there are none. A measure is one aggregate of an expression; it passes over
NULL, but for `FIRST` and `LAST`, which go by the order in which the records come. NULL is a group of its own, and
comes last.
"""

from dataclasses import dataclass
from typing import ClassVar

from services.processor.domain.aggregates import AggregateCall, parse_aggregate_call
from services.processor.domain.column_types import is_json
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.sql_text import quote_name
from services.processor.domain.steps.keys import group_key, key_column
from services.processor.domain.steps.names import parse_mapping, parse_names, parse_options
from services.processor.domain.steps.shapes import Grouping, Item, Measure, StepSql, Value
from services.processor.domain.steps.step import Step, kept


@dataclass(frozen=True, slots=True)
class Arguments:
    """The first half: the keys, and what each measure is of, under the measure's name. It looks at one record."""

    needs_all_rows: ClassVar[bool] = False
    place: Place
    by: tuple[str, ...]
    calls: dict[str, AggregateCall]

    def sql(self, schema: Schema) -> StepSql:
        keys = [key_column(schema, name, self.place.at("by", i)) for i, name in enumerate(self.by)]
        for key in keys:
            if any(key.name.casefold() == name.casefold() for name in self.calls):
                message = f'there would be two columns "{key.name}"; give the measure another name'
                raise PipelineError(self.place.at("measures", key.name), message)
        return StepSql(
            (
                *(Item(key.name, Value(group_key(key), self.place.at("by")), key.type) for key in keys),
                *(
                    Item(name, Value(call.argument.render(schema), call.argument.place))
                    for name, call in self.calls.items()
                ),
            )
        )


@dataclass(frozen=True, slots=True)
class Aggregated:
    """The other half, over the columns that the first one gives."""

    needs_all_rows: ClassVar[bool] = True
    place: Place
    calls: dict[str, AggregateCall]

    def sql(self, schema: Schema) -> Grouping:
        keys, arguments = schema.columns[: -len(self.calls)], schema.columns[-len(self.calls) :]
        measures = []
        for column, call in zip(arguments, self.calls.values(), strict=True):
            place, aggregate = call.argument.place, call.aggregate
            if is_json(column.type) and not aggregate.takes_json:
                raise PipelineError(
                    place, f"{aggregate.name} takes no JSON; take a part of it as text with ->> '$.key'"
                )
            argument = f"DISTINCT {quote_name(column.name)}" if aggregate.distinct else quote_name(column.name)
            value = Value(f"{aggregate.name}({argument})", place)
            measures.append(Measure(column.name, aggregate, column, value))
        return Grouping(tuple(kept(key, self.place.at("by")) for key in keys), tuple(measures))


def parse_aggregate(raw: object, place: Place) -> tuple[Step, ...]:
    options = parse_options(raw, place, required=("measures",), optional=("by",))
    by = parse_names(options["by"], place.at("by")) if "by" in options else ()
    at = place.at("measures")
    mapping = parse_mapping(options["measures"], at, '{"orders": "COUNT(*)"}')
    calls = {name: parse_aggregate_call(text, at.at(name)) for name, text in mapping.items()}
    return Arguments(place, by, calls), Aggregated(place, calls)
