"""Pipelines that users keep under a name, to run them by it."""

import re
from dataclasses import dataclass

from services.processor.domain.contexts import Subject
from services.processor.domain.fingerprint import canonical_json, fingerprint
from services.processor.domain.job_names import PROCESSING_ID_PATTERN, JobRequest, owner_segment, parse_processing_id
from services.processor.domain.triggers import S3Trigger, ScheduleTrigger, Trigger
from shared.errors import Conflict, NotFound

PIPELINE_NAME = re.compile(PROCESSING_ID_PATTERN, re.ASCII)
_TAG_CHARACTERS = 32


class PipelineNotFound(NotFound):
    """The caller has no pipeline of this name."""

    code, title = "pipeline-not-found", "There is no such pipeline"

    def __init__(self) -> None:
        super().__init__("You have stored no pipeline of this name. GET /api/pipelines lists yours.")


class TooManyPipelines(Conflict):
    """The caller has stored as many as one may."""

    code, title = "too-many-pipelines", "Too many pipelines are stored"

    def __init__(self, most: int) -> None:
        super().__init__(f"You have stored {most} pipelines, the most that one may. Delete one of them first.")


@dataclass(frozen=True, slots=True)
class StoredPipeline:
    """`request.data_source` is None where each run names its own. One that an object triggers reads that object.

    `context` proves who stored it. Without one its triggers do nothing: it was revoked, or not renewed in time.
    """

    owner: str
    name: str
    request: JobRequest
    updated_at_ms: int
    triggers: tuple[Trigger, ...] = ()
    context: str = ""

    def says(self, request: JobRequest, triggers: tuple[Trigger, ...]) -> bool:
        """Whether it is this already."""
        return (self.request.text, self.triggers) == (request.text, triggers)

    @property
    def is_armed(self) -> bool:
        """Whether it runs by itself."""
        return bool(self.triggers and self.context)

    def waits_for(self, bucket: str, key: str) -> bool:
        """Whether such an object runs it."""
        of_objects = [trigger for trigger in self.triggers if isinstance(trigger, S3Trigger)]
        return self.is_armed and any(trigger.matches(bucket, key) for trigger in of_objects)

    @property
    def schedule(self) -> str | None:
        """By which EventBridge runs it; None: by none, or no longer."""
        found = [trigger.expression for trigger in self.triggers if isinstance(trigger, ScheduleTrigger)]
        return found[0] if found and self.is_armed else None

    @property
    def subject(self) -> Subject:
        """What its context is about: what it does, and what it waits for."""
        said = canonical_json([self.request.text, *(trigger.to_json() for trigger in self.triggers)])
        return Subject(f"pipelines/{owner_segment(self.owner)}/{self.name}/", self.owner, fingerprint(said))

    @property
    def etag(self) -> str:
        """A strong one (RFC 9110 §8.8.3): other content or another time, another tag."""
        triggers = [trigger.to_json() for trigger in self.triggers]
        text = canonical_json([self.name, self.request.text, self.updated_at_ms, *triggers])
        return f'"{fingerprint(text)[:_TAG_CHARACTERS]}"'


@dataclass(frozen=True, slots=True)
class ListedPipeline:
    name: str
    updated_at_ms: int


def parse_pipeline_name(raw_name: str, pointer: str) -> str:
    """Names of pipelines have the form of names of jobs.

    Raises:
        ValidationFailed: it is none; names `pointer` and what would be right.
    """
    return parse_processing_id(raw_name, pointer)
