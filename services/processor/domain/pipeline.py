"""A request's `config`, parsed into a typed plan. Nothing here knows the records; the engine checks the columns."""

from dataclasses import dataclass

from services.processor.domain.column_types import UnknownType, parse_type
from services.processor.domain.excerpts import excerpt
from services.processor.domain.formats import COMPRESSIONS, FORMATS, Compression, Format
from services.processor.domain.pipeline_errors import CONFIG, PipelineError, Place
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.steps.filter import parse_filter
from services.processor.domain.steps.names import parse_mapping
from services.processor.domain.steps.registry import STEPS
from services.processor.domain.steps.step import Step
from shared.nearest import did_you_mean

_KEYS = ("filter_condition", "transformations", "input", "output", "stamp")
_INPUT_KEYS = ("format", "compression", "schema")
_OUTPUT_KEYS = ("format", "compression")
_MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class Input:
    """What the client said about the input; None where the name and the content decide."""

    format: Format | None = None
    compression: Compression | None = None
    schema: Schema | None = None
    """Columns whose types are not to be guessed, and columns that the first records don't show."""


@dataclass(frozen=True, slots=True)
class Output:
    """What the client said about the output; None means as the input is."""

    format: Format | None = None
    compression: Compression | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    steps: tuple[Step, ...] = ()
    input: Input = Input()
    output: Output = Output()
    stamp: bool = True

    @property
    def needs_all_rows(self) -> bool:
        """Whether all objects have to be one partition, rather than one partition each."""
        return any(step.needs_all_rows for step in self.steps)


def parse_config(raw_config: object) -> Pipeline:
    """Raises PipelineError, which names the place and the remedy. An empty config is the identity plus the stamp."""
    config = _object(raw_config, CONFIG, _KEYS)
    stamp = config.get("stamp", True)
    if not isinstance(stamp, bool):
        raise PipelineError(CONFIG.at("stamp"), "true or false is expected")
    return Pipeline(_steps(config), _input(config.get("input", {})), _output(config.get("output", {})), stamp)


def _object(raw: object, place: Place, known: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise PipelineError(place, f"an object is expected, not {_kind(raw)}")
    for key in raw:
        if key not in known:
            raise PipelineError(place.at(str(key)), f'unknown key "{excerpt(key)}"; {did_you_mean(str(key), known)}')
    return raw


def _steps(config: dict[str, object]) -> tuple[Step, ...]:
    condition = config.get("filter_condition")
    first = parse_filter(condition, CONFIG.at("filter_condition")) if "filter_condition" in config else ()
    place = CONFIG.at("transformations")
    raw_steps = config.get("transformations", [])
    if not isinstance(raw_steps, list):
        raise PipelineError(
            place, f'a list of steps is expected, such as [{{"drop": ["card"]}}], not {_kind(raw_steps)}'
        )
    if len(raw_steps) > _MOST_STEPS:
        raise PipelineError(place, f"a pipeline has at most {_MOST_STEPS} steps")
    return (*first, *(step for i, raw in enumerate(raw_steps) for step in _step(raw, place.at(i))))


def _step(raw: object, place: Place) -> tuple[Step, ...]:
    if not isinstance(raw, dict) or len(raw) != 1:
        raise PipelineError(place, 'a step is an object with one key, such as {"drop": ["card"]}')
    [(name, raw_arguments)] = raw.items()
    parse = STEPS.get(name)
    if parse is None:
        raise PipelineError(place.at(str(name)), f'unknown step "{excerpt(name)}"; {did_you_mean(str(name), STEPS)}')
    return parse(raw_arguments, place.at(name))


def _input(raw: object) -> Input:
    place = CONFIG.at("input")
    stated = _object(raw, place, _INPUT_KEYS)
    schema = _schema(stated["schema"], place.at("schema")) if "schema" in stated else None
    return Input(_format(stated, place), _compression(stated, place), schema)


def _output(raw: object) -> Output:
    place = CONFIG.at("output")
    stated = _object(raw, place, _OUTPUT_KEYS)
    return Output(_format(stated, place), _compression(stated, place))


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


def _kind(raw: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(raw), "null")
