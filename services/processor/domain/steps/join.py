"""`{"join": {"source": "s3://…/countries.csv", "on": ["country"], "how": "left"}}`: with records of another source.

Records go together whose columns `on` are equal; NULL equals nothing. `how`: `left` (by default) keeps records that
find none, `inner` does not; `semi` keeps those that find any, `anti` those that don't, and neither adds columns. The
order stays, and of several that are found that of the source. `source` is as `data_source` is, `input` as
`config.input`.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from services.processor.domain.column_types import INTEGER_TYPES
from services.processor.domain.excerpts import excerpt
from services.processor.domain.input_options import Input, parse_input
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.steps.keys import key_column
from services.processor.domain.steps.names import parse_names, parse_options
from services.processor.domain.steps.shapes import Joining
from services.processor.domain.steps.step import Step, all_kept, kept
from shared.nearest import did_you_mean

_ADDS = {"left": True, "inner": True, "semi": False, "anti": False}


@dataclass(frozen=True, slots=True)
class Join:
    needs_all_rows: ClassVar[bool] = False
    place: Place
    raw_source: object
    on: tuple[str, ...]
    how: str
    input: Input
    number: int = 0
    """Which of the pipeline's joins this is, from 0."""
    joined: Schema | None = None
    """The columns of the source, once they are known."""

    def knowing(self, number: int, joined: Schema) -> "Join":
        return replace(self, number=number, joined=joined)

    def sql(self, schema: Schema) -> Joining:
        assert self.joined is not None  # noqa: S101 - a pipeline is checked when all sources are known
        if not self.joined.columns:
            message = "the source has no records, and so no columns; say them in input.schema"
            raise PipelineError(self.place.at("source"), message)
        pairs = tuple(self._pair(schema, self.joined, name, self.place.at("on", i)) for i, name in enumerate(self.on))
        added = self._added(schema, self.joined, {theirs.name for _, theirs in pairs}) if _ADDS[self.how] else ()
        items = (*all_kept(schema, self.place), *(kept(column, self.place) for column in added))
        return Joining(items, pairs, self.how, self.number, added)

    def _pair(self, schema: Schema, joined: Schema, name: str, place: Place) -> tuple[Column, Column]:
        ours = key_column(schema, name, place)
        if joined.find(name) is None:
            message = f'the source has no column "{excerpt(name)}"; {did_you_mean(name, joined.names)}'
            raise PipelineError(place, message)
        theirs = key_column(joined, name, place)
        if ours.type != theirs.type and not {ours.type, theirs.type} <= INTEGER_TYPES:
            message = f'"{ours.name}" is {ours.type} here and {theirs.type} in the source; cast it before'
            raise PipelineError(
                place, f'{message}, or say {self.input.place}.schema: {{"{theirs.name}": "{ours.type}"}}'
            )
        return ours, theirs

    def _added(self, schema: Schema, joined: Schema, keys: set[str]) -> tuple[Column, ...]:
        added = tuple(column for column in joined if column.name not in keys)
        for column in added:
            if ours := schema.find(column.name):
                remedy = f'rename one before, as in {{"rename": {{"{ours.name}": "our_{ours.name}"}}}}, or drop it'
                raise PipelineError(self.place, f'there would be two columns "{column.name}"; {remedy}')
        return added


def parse_join(raw: object, place: Place) -> tuple[Step, ...]:
    options = parse_options(raw, place, required=("source", "on"), optional=("how", "input"))
    how = options.get("how", "left")
    if not isinstance(how, str) or how not in _ADDS:
        raise PipelineError(place.at("how"), f'unknown join "{excerpt(how)}"; {did_you_mean(str(how), _ADDS)}')
    stated = parse_input(options.get("input", {}), place.at("input"))
    return (Join(place, options["source"], parse_names(options["on"], place.at("on")), how, stated),)
