"""What is read, and as what: told once from the first bytes of the objects, then pinned in the job's plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.processor.domain.formats import (
    JSON,
    NDJSON,
    PARQUET,
    Compression,
    Encoding,
    Format,
    compression_of,
    format_by_content,
    format_by_name,
)
from services.processor.domain.input_errors import of_join
from services.processor.domain.packing import BrokenPacking, Unpacking
from services.processor.domain.pipeline import Pipeline
from services.processor.domain.pipeline_errors import CONFIG, PipelineError, RecordError
from services.processor.domain.schema_of_records import Column, ColumnsDifferByCase, Schema
from services.processor.engine.files import broken_packing, check_encoding
from services.processor.engine.formats.record_format import Sample
from services.processor.engine.formats.registry import record_format

SAMPLE_BYTES = 4 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ObjectSample:
    """The first SAMPLE_BYTES of an object as it is stored, or all of it. Without any, only the name counts.

    `ending` are the last bytes of a Parquet that is larger: at least its footer. `row_groups` is a file of its first.
    """

    name: str
    content: bytes
    is_whole: bool
    ending: bytes = b""
    row_groups: Path | None = None


@dataclass(frozen=True, slots=True)
class InputPlan:
    """`encodings` belong to the samples, one each. `output` is what the result is written as."""

    encodings: tuple[Encoding, ...]
    output: Encoding
    schema: Schema


def plan_inputs(pipeline: Pipeline, samples: Sequence[ObjectSample]) -> InputPlan:
    """Raises PipelineError when a format can't be told, RecordError when a sample is not what it should be."""
    encodings: list[Encoding] = []
    types: dict[str, str | None] = {}
    keeps_anything = "JSON"
    for sample in samples:
        encoding, plain = _told(pipeline, sample, encodings[0] if encodings else None)
        encodings.append(encoding)
        reader = record_format(encoding.format)
        keeps_anything = reader.keeps_anything
        found = reader.infer(plain, leaves_out=pipeline.leaves_out_bad_records) if plain.content else {}
        if plain.content and not plain.is_whole and not found and pipeline.input.schema is None:
            message = "the first record is larger than what is read to find the columns"
            raise RecordError(message, object_name=sample.name, record=1, remedy="say config.input.schema")
        for name, one in found.items():
            types[name] = reader.merge(types.get(name), one)
    first = encodings[0] if encodings else Encoding(JSON, "none")
    columns = {name: one or keeps_anything for name, one in types.items()}
    return InputPlan(
        tuple(encodings), _output(pipeline, first), _schema(pipeline, columns, samples[0].name if samples else "")
    )


def plan_joins(pipeline: Pipeline, joined: Sequence[Sequence[ObjectSample]]) -> tuple[InputPlan, ...]:
    """As what the joins read their sources: told as the input is. `joined` are samples for each join."""
    plans = []
    for join, samples in zip(pipeline.joins, joined, strict=True):
        with of_join(join.place):
            plans.append(plan_inputs(Pipeline(input=join.input), samples))
    return tuple(plans)


def plain_sample(pipeline: Pipeline, sample: ObjectSample) -> tuple[Format, bytes]:
    """The whole records of a sample, as a plain file of the format that `plan_inputs` tells."""
    encoding, plain = _told(pipeline, sample, None)
    return encoding.format, record_format(encoding.format).whole_records(plain)


def _told(pipeline: Pipeline, sample: ObjectSample, first: Encoding | None) -> tuple[Encoding, Sample]:
    compression = pipeline.input.compression or compression_of(sample.name, sample.content)
    plain = _plain(sample, compression)
    check_encoding(plain.content, sample.name)
    known = pipeline.input.format or _format_of(sample.name, plain.content, first.format if first else None)
    if known is None:
        message = (
            f'the format of "{sample.name}" shows neither in its name nor in its content; say which, as in "ndjson"'
        )
        raise PipelineError(pipeline.input.place.at("format"), message)
    if known.packs_itself and compression != "none":
        message = f"this is {known.name} within {compression}"
        raise RecordError(message, object_name=sample.name, remedy="unpack it: the format packs its columns itself")
    return Encoding(known, compression), plain


def _output(pipeline: Pipeline, first: Encoding) -> Encoding:
    """As the input where nothing else was said."""
    known, stated = pipeline.output.format or first.format, pipeline.output.compression
    if not known.packs_itself:
        return Encoding(known, stated or first.compression)
    if stated not in {None, "none"}:
        message = f'{known.name} packs its columns itself, by zstd; leave it out, or say "none"'
        raise PipelineError(CONFIG.at("output", "compression"), message)
    return Encoding(known, "none")


def _format_of(name: str, content: bytes, first: Format | None) -> Format | None:
    """By name; but many a .json holds one object a line: the first byte tells, or what the first object was."""
    named, found = format_by_name(name), format_by_content(content)
    if found is PARQUET:
        return found
    like = found if content else first
    if named in {None, JSON, NDJSON} and like in {JSON, NDJSON}:
        return like
    return named or found or first


def _plain(sample: ObjectSample, compression: Compression) -> Sample:
    content, is_whole = sample.content, sample.is_whole
    if compression != "none" and content:
        content, is_whole = _unpacked(sample, compression)
    return Sample(sample.name, content.removeprefix(_BOM), is_whole, sample.ending)


def _unpacked(sample: ObjectSample, compression: Compression) -> tuple[bytes, bool]:
    """At most SAMPLE_BYTES, however much it holds, and whether that is all."""
    unpacking = Unpacking(compression)
    plain = bytearray()
    try:
        for piece in unpacking.feed(sample.content):
            plain += piece
            if len(plain) > SAMPLE_BYTES:
                return bytes(plain[:SAMPLE_BYTES]), False
    except BrokenPacking:
        raise broken_packing(sample.name, compression) from None
    if sample.is_whole and not unpacking.is_complete:
        raise broken_packing(sample.name, compression)
    return bytes(plain), sample.is_whole


def _schema(pipeline: Pipeline, found: dict[str, str], name: str) -> Schema:
    pinned = pipeline.input.schema or Schema(())
    try:
        inferred = Schema(tuple(Column(column, one) for column, one in found.items()))
    except ColumnsDifferByCase as error:
        raise RecordError(str(error), object_name=name, remedy="rename one in the source") from None
    columns = {column.name: column for column in inferred} | {column.name: column for column in pinned}
    try:
        return Schema(tuple(columns.values()))
    except ColumnsDifferByCase as error:
        message = f'there is no column "{error.second}" but "{error.first}"; write it as the records do'
        raise PipelineError(pipeline.input.place.at("schema", error.second), message) from None
