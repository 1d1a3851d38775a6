"""A job: what was asked for, how far it has come, and how it ended. Times are whole milliseconds since the epoch."""

from dataclasses import dataclass

from services.processor.domain.contexts import Subject
from services.processor.domain.job_names import JobKey, JobRequest, listing_key
from services.processor.domain.outcomes import JobState, Outcome


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may work now. `fence` grows with each lease given; `attempts` counts those that were not given back.

    `took_over`: the lease before it was not given back but ran out.
    """

    fence: int = 0
    attempts: int = 0
    until_ms: int = 0
    took_over: bool = False

    def is_held(self, now_ms: int) -> bool:
        return self.until_ms > now_ms


@dataclass(frozen=True, slots=True)
class Job:
    """A job's record. What stands behind `lease`, the planner's, is known once it runs.

    Of the `parts` the last `second_parts` are those of a second stage: they can be done when all others are.
    `parts_at_once`: no more of them are asked for at a time (0: all of them, of a job of an earlier version).
    `context` proves who asked for it; nothing else in the record does.
    """

    key: JobKey
    request: JobRequest
    submitted_at_ms: int
    state: JobState = JobState.ACCEPTED
    traceparent: str = ""
    context: str = ""
    lease: Lease = Lease()
    parts: int = 0
    parts_at_once: int = 0
    second_parts: int = 0
    bytes_in: int = 0
    opened_at_ms: int = 0
    outcome: Outcome | None = None

    @property
    def subject(self) -> Subject:
        """What its context is about."""
        return Subject(self.key.folder, self.key.owner, self.request.fingerprint)

    @property
    def first_parts(self) -> int:
        """How many can be done as soon as it runs."""
        return self.parts - self.second_parts


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job as a list shows it."""

    processing_id: str
    submitted_at_ms: int
    state: JobState
    outcome: Outcome | None

    @property
    def listing_key(self) -> str:
        return listing_key(self.submitted_at_ms, self.processing_id)


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that has not ended, as the sweeper's index shows it."""

    key: JobKey
    submitted_at_ms: int
    sweep_at_ms: int
