"""A job's plan: what is read, in which parts, and as what columns. Made once; whoever works on the job follows it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.processor.domain.fingerprint import canonical_json
from services.processor.domain.formats import Encoding, encoding_from_json
from services.processor.domain.schema_of_records import Schema, schema_from_json

VERSION = 1


@dataclass(frozen=True, slots=True)
class PinnedObject:
    """One version of an S3 object. Reading it later gives these bytes or fails."""

    bucket: str
    key: str
    etag: str
    size: int

    @property
    def name(self) -> str:
        """How an error about its records names it."""
        return f"s3://{self.bucket}/{self.key}"

    def to_json(self) -> dict[str, object]:
        return {"bucket": self.bucket, "key": self.key, "etag": self.etag, "size": self.size}


@dataclass(frozen=True, slots=True)
class PinnedSample:
    """The made-up records of the data source "test"; `name` is what an object with them would be called."""

    name: str
    size: int

    def to_json(self) -> dict[str, object]:
        return {"sample": self.name, "size": self.size}


PinnedSource = PinnedObject | PinnedSample


@dataclass(frozen=True, slots=True)
class JoinedSource:
    """What one join of the pipeline reads, whichever part it works on."""

    sources: tuple[PinnedSource, ...]
    encodings: tuple[Encoding, ...]
    schema: Schema

    @property
    def inputs(self) -> tuple[tuple[PinnedSource, Encoding], ...]:
        return tuple(zip(self.sources, self.encodings, strict=True))

    def to_json(self) -> dict[str, object]:
        return {"sources": _sources_json(self.sources, self.encodings), "schema": _schema_json(self.schema)}


@dataclass(frozen=True, slots=True)
class Plan:
    """`partitions` hold places in `sources`: one partition becomes one part of the result, in this order.

    `encodings` belong to the sources, one each; all have the columns of `schema`.
    """

    request_sha256: str
    sources: tuple[PinnedSource, ...]
    encodings: tuple[Encoding, ...]
    partitions: tuple[tuple[int, ...], ...]
    schema: Schema
    output: Encoding
    engine: str
    joined: tuple[JoinedSource, ...] = ()
    """One for each join, in their order."""

    def inputs_of(self, part: int) -> tuple[tuple[PinnedSource, Encoding], ...]:
        """What a part reads, in order."""
        return tuple((self.sources[place], self.encodings[place]) for place in self.partitions[part])

    def all_inputs_of(self, part: int) -> tuple[tuple[PinnedSource, Encoding], ...]:
        """The same, and what it joins them with."""
        return (*self.inputs_of(part), *(read for joined in self.joined for read in joined.inputs))

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
            "partitions": [list(places) for places in self.partitions],
            "joined": [joined.to_json() for joined in self.joined],
        }


def _sources_json(sources: Sequence[PinnedSource], encodings: Sequence[Encoding]) -> list[dict[str, object]]:
    return [{**source.to_json(), **encoding.to_json()} for source, encoding in zip(sources, encodings, strict=True)]


def _schema_json(schema: Schema) -> list[list[str]]:
    return [[column.name, column.type] for column in schema]


def partitions_of(sources: Sequence[PinnedSource], *, needs_all_rows: bool) -> tuple[tuple[int, ...], ...]:
    """One partition an object; all objects in one where a step has to see every record."""
    places = range(len(sources))
    return (tuple(places),) if needs_all_rows else tuple((place,) for place in places)


def spread(places: Sequence[int], most: int) -> tuple[int, ...]:
    """At most so many of them, the first one and others evenly."""
    if len(places) <= most:
        return tuple(places)
    return tuple(places[number * len(places) // most] for number in range(most))


def plan_text(plan: Plan) -> str:
    return canonical_json(plan.to_json())


def parse_plan(text: str | bytes) -> Plan:
    """The other way of `plan_text`; only ever of our own."""
    values = json.loads(text)
    return Plan(
        request_sha256=values["request_sha256"],
        sources=tuple(map(_source_from, values["sources"])),
        partitions=tuple(tuple(places) for places in values["partitions"]),
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
