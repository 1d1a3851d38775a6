"""What a client says about how a source is written, and how the result shall be."""

from dataclasses import dataclass

from services.processor.domain.column_types import UnknownType, parse_type
from services.processor.domain.excerpts import excerpt
from services.processor.domain.formats import COMPRESSIONS, FORMATS, Compression, Format
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.steps.names import parse_mapping, parse_names
from shared.nearest import did_you_mean

_INPUT_KEYS = ("format", "compression", "schema")
_OUTPUT_KEYS = ("format", "compression", "partition_by")


@dataclass(frozen=True, slots=True)
class Input:
    """What the client said about the input; None where the name and the content decide."""

    place: Place
    format: Format | None = None
    compression: Compression | None = None
    schema: Schema | None = None
    """Columns whose types are not to be guessed, and columns that the first records don't show."""


@dataclass(frozen=True, slots=True)
class Output:
    """What the client said about the output; None means as the input is."""

    format: Format | None = None
    compression: Compression | None = None
    partition_by: tuple[str, ...] = ()
    """Columns by whose values the result is split into objects."""


def object_with(raw: object, place: Place, known: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise PipelineError(place, f"an object is expected, not {kind_of(raw)}")
    for key in raw:
        if key not in known:
            raise PipelineError(place.at(str(key)), f'unknown key "{excerpt(key)}"; {did_you_mean(str(key), known)}')
    return raw


def parse_input(raw: object, place: Place) -> Input:
    stated = object_with(raw, place, _INPUT_KEYS)
    schema = _schema(stated["schema"], place.at("schema")) if "schema" in stated else None
    return Input(place, _format(stated, place), _compression(stated, place), schema)


def parse_output(raw: object, place: Place) -> Output:
    stated = object_with(raw, place, _OUTPUT_KEYS)
    partition_by = parse_names(stated["partition_by"], place.at("partition_by")) if "partition_by" in stated else ()
    return Output(_format(stated, place), _compression(stated, place), partition_by)


def _format(stated: dict[str, object], place: Place) -> Format | None:
    name = stated.get("format")
    if "format" not in stated:
        return None
    if not isinstance(name, str) or name not in FORMATS:
        raise PipelineError(place.at("format"), f'unknown format "{excerpt(name)}"; {did_you_mean(str(name), FORMATS)}')
    return FORMATS[name]


def _compression(stated: dict[str, object], place: Place) -> Compression | None:
    if "compression" not in stated:
        return None
    name = stated["compression"]
    for known in COMPRESSIONS:
        if name == known:
            return known
    near = did_you_mean(str(name), COMPRESSIONS)
    raise PipelineError(place.at("compression"), f'unknown compression "{excerpt(name)}"; {near}')


def _schema(raw: object, place: Place) -> Schema:
    mapping = parse_mapping(raw, place, '{"price": "DOUBLE"}')
    columns = []
    for name, raw_type in mapping.items():
        try:
            columns.append(Column(name, parse_type(raw_type)))
        except UnknownType as error:
            raise PipelineError(place.at(name), str(error)) from None
    return Schema(tuple(columns))


def kind_of(raw: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(raw), "null")
