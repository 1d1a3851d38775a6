"""`{"deduplicate": {"by": ["id"], "keep": "last", "order_by": ["changed_at"]}}`: one record of those equal in `by`.

The `first` (by default) or the `last` in the order of `order_by`, which is as a sort would have it; among ties, and
without `order_by`, in the order in which they come. NULL equals NULL here. What is kept stays where it stood.
"""

from dataclasses import dataclass
from typing import ClassVar

from services.processor.domain.excerpts import excerpt
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.steps.keys import group_key, key_column
from services.processor.domain.steps.names import parse_names, parse_options
from services.processor.domain.steps.shapes import Choice
from services.processor.domain.steps.sort import sort_keys
from services.processor.domain.steps.step import Step, all_kept
from shared.nearest import did_you_mean

_KEEPS = ("first", "last")


@dataclass(frozen=True, slots=True)
class Deduplicate:
    needs_all_rows: ClassVar[bool] = True
    place: Place
    by: tuple[str, ...]
    order_by: tuple[str, ...]
    last: bool

    def sql(self, schema: Schema) -> Choice:
        keys = [key_column(schema, name, self.place.at("by", i)) for i, name in enumerate(self.by)]
        return Choice(
            all_kept(schema, self.place),
            by=tuple(map(group_key, keys)),
            order_by=sort_keys(schema, self.order_by, self.place.at("order_by")),
            last=self.last,
        )


def parse_deduplicate(raw: object, place: Place) -> tuple[Step, ...]:
    options = parse_options(raw, place, required=("by",), optional=("keep", "order_by"))
    keep = options.get("keep", "first")
    if keep not in _KEEPS:
        message = f'unknown choice "{excerpt(keep)}"; {did_you_mean(str(keep), _KEEPS)}'
        raise PipelineError(place.at("keep"), message)
    order_by = parse_names(options["order_by"], place.at("order_by")) if "order_by" in options else ()
    return (Deduplicate(place, parse_names(options["by"], place.at("by")), order_by, keep == "last"),)
