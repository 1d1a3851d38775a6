"""A job's plan: what is read, in which parts, and as what columns. Made once; whoever works on the job follows it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.processor.domain.fingerprint import canonical_json
from services.processor.domain.formats import ROWS, Encoding, encoding_from_json
from services.processor.domain.pinned_sources import (
    PartInput,
    PinnedObject,
    PinnedSample,
    PinnedSource,
    Slice,
    one_each,
    packed,
    whole,
)
from services.processor.domain.pipeline import Pipeline
from services.processor.domain.schema_of_records import Schema, schema_from_json
from services.processor.domain.stages import ONLY, Stage

VERSION = 1


@dataclass(frozen=True, slots=True)
class JoinedSource:
    """What one join of the pipeline reads, whichever part it works on."""

    sources: tuple[PinnedSource, ...]
    encodings: tuple[Encoding, ...]
    schema: Schema

    @property
    def inputs(self) -> tuple[PartInput, ...]:
        return tuple(map(PartInput, self.sources, self.encodings, whole(self.sources)))

    def to_json(self) -> dict[str, object]:
        return {"sources": _sources_json(self.sources, self.encodings), "schema": _schema_json(self.schema)}


@dataclass(frozen=True, slots=True)
class Plan:
    """Each of the `partitions` becomes one part, in this order. Together they hold each byte once.

    These are the parts of the result, unless the job has two stages: then one more part, behind them, makes the
    result of what they give. `encodings` belong to the sources, one each; all have the columns of `schema`.
    """

    request_sha256: str
    sources: tuple[PinnedSource, ...]
    encodings: tuple[Encoding, ...]
    partitions: tuple[tuple[Slice, ...], ...]
    schema: Schema
    output: Encoding
    engine: str
    joined: tuple[JoinedSource, ...] = ()
    """One for each join, in their order."""
    row_steps: int | None = None
    """So many steps belong to the first of two stages; None where there is one stage."""
    partition_by: tuple[str, ...] = ()
    """Columns by whose values the result is split into objects."""

    @property
    def second_parts(self) -> int:
        """How many parts belong to a second stage."""
        return 0 if self.row_steps is None else 1

    @property
    def parts(self) -> int:
        """How many there are in all stages."""
        return len(self.partitions) + self.second_parts

    def stage_of(self, part: int) -> Stage:
        if self.row_steps is None:
            return ONLY
        if part >= len(self.partitions):
            return Stage("second", self.row_steps)
        return Stage("first", self.row_steps, sum(map(len, self.partitions[:part])))

    def inputs_of(self, part: int) -> tuple[PartInput, ...]:
        """What a part reads, in order."""
        return tuple(
            PartInput(self.sources[one.place], self.encodings[one.place], one) for one in self.partitions[part]
        )

    def bytes_of(self, part: int) -> int:
        """How much a part reads, without what is joined; what a second stage reads is taken to be as large as all."""
        return sum(one.size for one in (self.slices if part >= len(self.partitions) else self.partitions[part]))

    def keeps_rows(self, part: int) -> bool:
        """Whether the part belongs to the first of two stages."""
        return self.row_steps is not None and part < len(self.partitions)

    def splits(self, part: int) -> bool:
        """Whether the part makes an object for each of the values that the result is split by."""
        return bool(self.partition_by) and not self.keeps_rows(part)

    def encoding_of(self, part: int) -> Encoding:
        """What the part is written as."""
        return ROWS if self.keeps_rows(part) else self.output

    @property
    def slices(self) -> tuple[Slice, ...]:
        """All that is read, in order."""
        return tuple(one for partition in self.partitions for one in partition)

    @property
    def bytes_in(self) -> int:
        return sum(source.size for source in self.sources)

    def to_json(self) -> dict[str, object]:
        """The plan as it stands in `plan.json` and in the manifest."""
        return {
            "version": VERSION,
            "request_sha256": self.request_sha256,
            "engine": self.engine,
            "sources": _sources_json(self.sources, self.encodings),
            "schema": _schema_json(self.schema),
            "output": self.output.to_json(),
            "partitions": [[one.to_json() for one in partition] for partition in self.partitions],
            "joined": [joined.to_json() for joined in self.joined],
            "row_steps": self.row_steps,
            "partition_by": self.partition_by,
        }


def divided(
    pipeline: Pipeline, schema: Schema, sources: Sequence[PinnedSource], slices: Sequence[Slice], most_bytes: int
) -> tuple[tuple[tuple[Slice, ...], ...], int | None]:
    """The partitions of a plan and its `row_steps`: two stages where a step needs all rows and one part would be large.

    Without a column there is nothing to keep between two stages.
    """
    if not pipeline.needs_all_rows:
        return one_each(slices), None
    partitions = packed(slices, most_bytes)
    if len(partitions) < 2 or not schema.columns:  # noqa: PLR2004 - two stages join several
        return (whole(sources),), None
    return partitions, pipeline.row_steps


def _sources_json(sources: Sequence[PinnedSource], encodings: Sequence[Encoding]) -> list[dict[str, object]]:
    return [{**source.to_json(), **encoding.to_json()} for source, encoding in zip(sources, encodings, strict=True)]


def _schema_json(schema: Schema) -> list[list[str]]:
    return [[column.name, column.type] for column in schema]


def plan_text(plan: Plan) -> str:
    return canonical_json(plan.to_json())


def parse_plan(text: str | bytes) -> Plan:
    """The other way of `plan_text`; only ever of our own."""
    values = json.loads(text)
    return Plan(
        request_sha256=values["request_sha256"],
        sources=tuple(map(_source_from, values["sources"])),
        partitions=tuple(tuple(Slice(*one) for one in partition) for partition in values["partitions"]),
        encodings=tuple(map(encoding_from_json, values["sources"])),
        schema=schema_from_json(dict(values["schema"])),
        output=encoding_from_json(values["output"]),
        engine=values["engine"],
        joined=tuple(map(_joined_from, values["joined"])),
        row_steps=values.get("row_steps"),
        partition_by=tuple(values.get("partition_by", ())),
    )


def _joined_from(values: Mapping[str, Any]) -> JoinedSource:
    return JoinedSource(
        tuple(map(_source_from, values["sources"])),
        tuple(map(encoding_from_json, values["sources"])),
        schema_from_json(dict(values["schema"])),
    )


def _source_from(values: Mapping[str, Any]) -> PinnedSource:
    if "sample" in values:
        return PinnedSample(values["sample"], values["size"])
    return PinnedObject(values["bucket"], values["key"], values["etag"], values["size"])
