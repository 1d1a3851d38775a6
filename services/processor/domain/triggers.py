"""What runs a stored pipeline without being asked: an object that arrives among its owner's inputs, or the clock."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from services.processor.domain.excerpts import excerpt
from services.processor.domain.input_options import object_with
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schedule_expressions import parse_schedule

_TRIGGERS = Place(("triggers",))
_MOST_TRIGGERS = 10
_LONGEST_TEXT = 1024
_EXAMPLES = '{"s3": {"suffix": ".csv"}} or {"schedule": "rate(1 hour)"}'


@dataclass(frozen=True, slots=True)
class S3Trigger:
    """Objects whose keys begin and end like this; `prefix` lies within the owner's inputs."""

    bucket: str
    prefix: str
    suffix: str

    def matches(self, bucket: str, key: str) -> bool:
        """Keys that end in `/`, the markers that consoles make for folders, never match."""
        return bucket == self.bucket and key.startswith(self.prefix) and key.endswith(self.suffix) and key[-1] != "/"

    def to_json(self) -> dict[str, dict[str, str]]:
        """As a client writes it, and reads it again."""
        return {"s3": {"bucket": self.bucket, "prefix": self.prefix, "suffix": self.suffix}}


@dataclass(frozen=True, slots=True)
class ScheduleTrigger:
    """The moments that EventBridge makes of an expression."""

    expression: str

    def to_json(self) -> dict[str, str]:
        """As a client writes it, and reads it again."""
        return {"schedule": self.expression}


Trigger: TypeAlias = S3Trigger | ScheduleTrigger


def trigger_from(stored: dict[str, Any]) -> Trigger:
    """The other way of `to_json`."""
    return S3Trigger(**stored["s3"]) if "s3" in stored else ScheduleTrigger(stored["schedule"])


@dataclass(frozen=True, slots=True)
class TriggerRules:
    """What an owner's triggers may see: `folder` of `bucket`, where the owner's inputs are."""

    bucket: str
    folder: str

    def parse(self, raw: list[object], *, has_source: bool) -> tuple[Trigger, ...]:
        """The triggers that a client writes. `has_source`: the pipeline says what a run by schedule would read.

        Raises:
            PipelineError: it names the place and the remedy.
        """
        if len(raw) > _MOST_TRIGGERS:
            raise PipelineError(_TRIGGERS, f"a pipeline has at most {_MOST_TRIGGERS} triggers")
        found = tuple(self._parse_one(each, _TRIGGERS.at(i)) for i, each in enumerate(raw))
        schedules = [i for i, each in enumerate(found) if isinstance(each, ScheduleTrigger)]
        if len(schedules) > 1:
            raise PipelineError(
                _TRIGGERS.at(schedules[1]), "a pipeline has one schedule at most; store it under two names"
            )
        if schedules and not has_source:
            place = _TRIGGERS.at(schedules[0]).at("schedule")
            raise PipelineError(place, "a run by schedule reads the pipeline's own data_source; name one")
        return found

    def _parse_one(self, raw: object, place: Place) -> Trigger:
        stated = object_with(raw, place, ("s3", "schedule"))
        if len(stated) != 1:
            raise PipelineError(place, f"a trigger is an object with one key, such as {_EXAMPLES}")
        if "schedule" in stated:
            return ScheduleTrigger(parse_schedule(stated["schedule"], place.at("schedule")))
        place = place.at("s3")
        limits = object_with(stated["s3"], place, ("bucket", "prefix", "suffix"))
        if _text(limits, "bucket", self.bucket, place) != self.bucket:
            detail = f'triggers see the bucket "{self.bucket}" alone; name that, or leave it out'
            raise PipelineError(place.at("bucket"), detail)
        prefix = _text(limits, "prefix", self.folder, place)
        if not prefix.startswith(self.folder):
            detail = f'"{excerpt(prefix)}" is outside your inputs; it begins with "{self.folder}"'
            raise PipelineError(place.at("prefix"), detail)
        return S3Trigger(self.bucket, prefix, _text(limits, "suffix", "", place))


def _text(stated: dict[str, object], name: str, otherwise: str, place: Place) -> str:
    value = stated.get(name, otherwise)
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise PipelineError(place.at(name), f"a text of at most {_LONGEST_TEXT} characters is expected")
    return value
