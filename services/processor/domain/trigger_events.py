"""What runs pipelines by themselves: S3 tells of objects that were created, EventBridge of moments.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote, unquote_plus

from services.processor.domain.fingerprint import canonical_json, fingerprint
from services.processor.domain.job_names import owner_segment
from services.processor.domain.messages import UnknownMessage

INPUTS = "inputs/"
_SCHEDULE = "mayfly-schedule"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9.]{2,12}Z", re.ASCII)
_ID_CHARACTERS = 32
_NAME_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """An object was created. S3 may tell it several times, always with the same `sequencer`."""

    bucket: str
    key: str
    etag: str
    version: str
    sequencer: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def owner(self) -> str | None:
        """In whose inputs it lies; None: in nobody's."""
        segment, slash, _ = self.key.removeprefix(INPUTS).partition("/")
        owner = unquote(segment)
        known = self.key.startswith(INPUTS) and slash and owner and owner_segment(owner) == segment
        return owner if known else None

    def processing_id(self, pipeline: str) -> str:
        """The job of this event and this pipeline: the same however often the event comes, another for the next one."""
        return _processing_id(pipeline, self.bucket, self.key, self.etag, self.version, self.sequencer)


@dataclass(frozen=True, slots=True)
class ScheduledEvent:
    """A pipeline's moment has come. EventBridge may tell it several times, always with the same `time`."""

    owner: str
    pipeline: str
    time: str

    url = None
    """It reads what the pipeline says."""

    def processing_id(self, pipeline: str) -> str:
        """The job of this moment: the same however often the event comes."""
        return _processing_id(pipeline, _SCHEDULE, self.time)


TriggerEvent: TypeAlias = ObjectEvent | ScheduledEvent


def schedule_template(owner: str, pipeline: str) -> str:
    """What EventBridge makes of a moment, by an input transformer in which `<time>` is that moment."""
    facts = json.dumps({"owner": owner, "pipeline": pipeline})[1:-1].replace("<", "\\u003c").replace(">", "\\u003e")
    return f'{{"{_SCHEDULE}": {{{facts}, "time": "<time>"}}}}'


def parse_trigger(raw_body: str) -> Sequence[TriggerEvent]:
    """What a message tells of; nothing where it is S3's own trial message, or about something else.

    Raises:
        UnknownMessage: it is no notification of S3, and no moment of a schedule.
    """
    try:
        values = json.loads(raw_body)
        if _SCHEDULE in values:
            return (_moment_from(values[_SCHEDULE]),)
        if values.get("Event") == "s3:TestEvent":
            return ()
        return [_event_from(record["s3"]) for record in values["Records"] if _is_creation(record)]
    except (TypeError, KeyError, ValueError, AttributeError, RecursionError) as error:
        raise UnknownMessage(f"{type(error).__name__}: {error}") from error


def _processing_id(pipeline: str, *facts: str) -> str:
    return f"{pipeline[:_NAME_CHARACTERS]}-{fingerprint(canonical_json([pipeline, *facts]))[:_ID_CHARACTERS]}"


def _moment_from(told: Mapping[str, Any]) -> ScheduledEvent:
    event = ScheduledEvent(str(told["owner"]), str(told["pipeline"]), str(told["time"]))
    if not _MOMENT.fullmatch(event.time):
        raise ValueError("time: a moment in UTC is expected")
    return event


def _is_creation(record: Mapping[str, Any]) -> bool:
    return str(record["eventName"]).removeprefix("s3:").startswith("ObjectCreated:")


def _event_from(told: Mapping[str, Any]) -> ObjectEvent:
    found = told["object"]
    return ObjectEvent(
        bucket=str(told["bucket"]["name"]),
        key=unquote_plus(str(found["key"])),
        etag=str(found.get("eTag", "")),
        version=str(found.get("versionId", "")),
        sequencer=str(found.get("sequencer", "")),
    )
