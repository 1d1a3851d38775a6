"""A job's plan: what is read, in which parts, and as what columns. Made once; whoever works on the job follows it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.processor.domain.fingerprint import canonical_json
from services.processor.domain.formats import Encoding, encoding_from_json
from services.processor.domain.pinned_sources import PartInput, PinnedObject, PinnedSample, PinnedSource, Slice, whole
from services.processor.domain.schema_of_records import Schema, schema_from_json

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
    """Each of the `partitions` becomes one part of the result, in this order. Together they hold each byte once.

    `encodings` belong to the sources, one each; all have the columns of `schema`.
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

    def inputs_of(self, part: int) -> tuple[PartInput, ...]:
        """What a part reads, in order."""
        return tuple(
            PartInput(self.sources[one.place], self.encodings[one.place], one) for one in self.partitions[part]
        )

    def bytes_of(self, part: int) -> int:
        return sum(one.size for one in self.partitions[part])

    def fetched_by(self, part: int) -> int:
        """The bytes that a part reads, those that it joins with its own included."""
        return self.bytes_of(part) + sum(source.size for joined in self.joined for source in joined.sources)

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
            "partitions": [
                [[one.place, one.start, one.end, one.head] for one in partition] for partition in self.partitions
            ],
            "joined": [joined.to_json() for joined in self.joined],
        }


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
