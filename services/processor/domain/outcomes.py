"""How a job ends. Times are whole milliseconds since the epoch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class JobState(StrEnum):
    ACCEPTED = "accepted"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed or was cancelled: what a problem document says. `details` are its further members."""

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
