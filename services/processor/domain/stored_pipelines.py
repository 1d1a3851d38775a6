"""Pipelines that users keep under a name, to run them by it."""

import re
from dataclasses import dataclass

from services.processor.domain.fingerprint import canonical_json, fingerprint
from services.processor.domain.job_names import PROCESSING_ID_PATTERN, JobRequest, parse_processing_id
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
    """`request.data_source` is None where each run names its own."""

    owner: str
    name: str
    request: JobRequest
    updated_at_ms: int

    @property
    def etag(self) -> str:
        """A strong one (RFC 9110 §8.8.3): other content or another time, another tag."""
        text = canonical_json([self.name, self.request.text, self.updated_at_ms])
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
