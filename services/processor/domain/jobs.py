"""A job: what was asked for, how far it has come, and how it ended. Times are whole milliseconds since the epoch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote

from services.processor.domain.fingerprint import canonical_json, fingerprint
from shared.errors import Conflict, FieldError, NotFound, ValidationFailed

PROCESSING_ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_PROCESSING_ID = re.compile(PROCESSING_ID_PATTERN, re.ASCII)


class JobNotFound(NotFound):
    """There is no such job, or it is another owner's: nobody learns which."""

    code, title = "job-not-found", "There is no such job"


class JobConflict(Conflict):
    """The name is taken by another request of the same owner."""

    code, title = "job-conflict", "There is another job of that name"


class JobState(StrEnum):
    ACCEPTED = "accepted"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobKey:
    """A job's name: its owner's user id, and the processing id, which is the owner's own."""

    owner: str
    processing_id: str

    @property
    def folder(self) -> str:
        """The prefix of all its S3 keys. An owner is one path segment, whatever is in their id."""
        return f"jobs/{owner_segment(self.owner)}/{self.processing_id}/"


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a client asked for, after its syntax was checked. Equal requests have equal fingerprints."""

    data_source: object
    config: Mapping[str, object]

    @property
    def text(self) -> str:
        return canonical_json({"data_source": self.data_source, "config": self.config})

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.text)


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may work now. `fence` grows with each lease given; `attempts` counts those that were not given back."""

    fence: int = 0
    attempts: int = 0
    until_ms: int = 0

    def is_held(self, now_ms: int) -> bool:
        return self.until_ms > now_ms


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed: what a problem document says. `details` are its further members."""

    code: str
    detail: str
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counts:
    """Records and bytes, of a part or of a job."""

    records_in: int = 0
    records_out: int = 0
    records_rejected: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.records_in + other.records_in,
            self.records_out + other.records_out,
            self.records_rejected + other.records_rejected,
            self.bytes_in + other.bytes_in,
            self.bytes_out + other.bytes_out,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended, as its manifest says. A job has one outcome, for good."""

    state: JobState
    finished_at_ms: int
    counts: Counts = Counts()
    attempts: int = 1
    result_location: str | None = None
    error: JobError | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job's record. `parts` and `bytes_in` are known once it runs; `lease` is the planner's."""

    key: JobKey
    request: JobRequest
    submitted_at_ms: int
    state: JobState = JobState.ACCEPTED
    traceparent: str = ""
    lease: Lease = Lease()
    parts: int = 0
    bytes_in: int = 0
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job as a list shows it."""

    processing_id: str
    submitted_at_ms: int
    state: JobState
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that has not ended, as the sweeper's index shows it."""

    key: JobKey
    submitted_at_ms: int
    sweep_at_ms: int


def owner_segment(owner: str) -> str:
    """A user id as one segment of an S3 key: no slash, no dots alone, and no two users share one."""
    segment = quote(owner, safe="")
    return segment if segment.strip(".") else segment.replace(".", "%2E")


def parse_processing_id(raw_id: str, pointer: str) -> str:
    """A name that is safe as an S3 key's segment and in a URL.

    Raises:
        ValidationFailed: it is none; names `pointer` and what would be right.
    """
    if _PROCESSING_ID.fullmatch(raw_id) is None or ".." in raw_id:
        detail = (
            f"{pointer.strip('/')}: 1 to 128 letters, digits, dots, dashes and underscores, "
            'the first a letter or digit, no ".."'
        )
        raise ValidationFailed(detail, errors=[FieldError(pointer, detail)])
    return raw_id
