"""A request's `config`, parsed into a typed plan. Nothing here knows the records; the engine checks the columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from services.processor.domain.bad_records import BadRecordPolicy, parse_bad_record_policy
from services.processor.domain.excerpts import excerpt
from services.processor.domain.input_options import Input, Output, kind_of, object_with, parse_input, parse_output
from services.processor.domain.pipeline_errors import CONFIG, INPUT, PipelineError, Place
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.stages import Stage
from services.processor.domain.steps.filter import parse_filter
from services.processor.domain.steps.join import Join
from services.processor.domain.steps.registry import STEPS
from services.processor.domain.steps.step import Step
from shared.nearest import did_you_mean

_KEYS = ("filter_condition", "transformations", "input", "output", "on_bad_record", "stamp")
_MOST_STEPS = 100
_MOST_JOINS = 10


@dataclass(frozen=True, slots=True)
class Pipeline:
    steps: tuple[Step, ...] = ()
    input: Input = field(default_factory=lambda: Input(INPUT))
    output: Output = field(default_factory=Output)
    stamp: bool = True
    on_bad_record: BadRecordPolicy = "fail"

    @property
    def needs_all_rows(self) -> bool:
        """Whether what becomes of a record may depend on those of other objects."""
        return self.row_steps < len(self.steps)

    @property
    def row_steps(self) -> int:
        """How many steps come before the first that needs all rows."""
        return next((number for number, step in enumerate(self.steps) if step.needs_all_rows), len(self.steps))

    def joins_in(self, stage: Stage) -> tuple[bool, ...]:
        """For each join, in their order, whether it belongs to this stage."""
        return tuple(stage.has_step(number) for number, step in enumerate(self.steps) if isinstance(step, Join))

    @property
    def leaves_out_bad_records(self) -> bool:
        """Rather than fail of the first one."""
        return self.on_bad_record != "fail"

    @property
    def joins(self) -> tuple[Join, ...]:
        return tuple(step for step in self.steps if isinstance(step, Join))

    def knowing(self, joined: Sequence[Schema]) -> "Pipeline":
        """With the columns of what its joins read, in their order."""
        known = iter(
            join.knowing(number, schema) for number, (join, schema) in enumerate(zip(self.joins, joined, strict=True))
        )
        return replace(self, steps=tuple(next(known) if isinstance(step, Join) else step for step in self.steps))


def parse_config(raw_config: object) -> Pipeline:
    """Raises PipelineError, which names the place and the remedy. An empty config is the identity plus the stamp."""
    config = object_with(raw_config, CONFIG, _KEYS)
    stamp = config.get("stamp", True)
    if not isinstance(stamp, bool):
        raise PipelineError(CONFIG.at("stamp"), "true or false is expected")
    stated = parse_input(config.get("input", {}), INPUT)
    output = parse_output(config.get("output", {}), CONFIG.at("output"))
    return Pipeline(_steps(config), stated, output, stamp, parse_bad_record_policy(config.get("on_bad_record", "fail")))


def _steps(config: dict[str, object]) -> tuple[Step, ...]:
    condition = config.get("filter_condition")
    first = parse_filter(condition, CONFIG.at("filter_condition")) if "filter_condition" in config else ()
    place = CONFIG.at("transformations")
    raw_steps = config.get("transformations", [])
    if not isinstance(raw_steps, list):
        raise PipelineError(
            place, f'a list of steps is expected, such as [{{"drop": ["card"]}}], not {kind_of(raw_steps)}'
        )
    if len(raw_steps) > _MOST_STEPS:
        raise PipelineError(place, f"a pipeline has at most {_MOST_STEPS} steps")
    steps = (*first, *(step for i, raw in enumerate(raw_steps) for step in _step(raw, place.at(i))))
    if sum(isinstance(step, Join) for step in steps) > _MOST_JOINS:
        raise PipelineError(place, f"a pipeline has at most {_MOST_JOINS} joins")
    return steps


def _step(raw: object, place: Place) -> tuple[Step, ...]:
    if not isinstance(raw, dict) or len(raw) != 1:
        raise PipelineError(place, 'a step is an object with one key, such as {"drop": ["card"]}')
    [(name, raw_arguments)] = raw.items()
    parse = STEPS.get(name)
    if parse is None:
        raise PipelineError(place.at(str(name)), f'unknown step "{excerpt(name)}"; {did_you_mean(str(name), STEPS)}')
    return parse(raw_arguments, place.at(name))
