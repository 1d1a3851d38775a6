"""How far a job has come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.processor.domain.jobs import Job, Lease
from services.processor.domain.outcomes import Counts, JobState
from services.processor.domain.part_results import PartResult, counts_of

_LONGEST_SWEEP_MS = 600_000


@dataclass(frozen=True, slots=True)
class PartRecord:
    """A part that was begun. `result` is there once it is done."""

    part: int
    lease: Lease
    result: PartResult | None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a job goes, over all of its time from when it was planned. None: nothing is known yet.

    `seconds_left` takes it that the rest goes as fast as what is done; of a second stage nobody knows that.
    """

    records_per_second: float | None = None
    bytes_per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """A job and what is done of it. Of a job that has ended, all is said by its outcome."""

    job: Job
    parts_done: int
    counts: Counts
    attempts: int
    pace: Pace = Pace()

    @property
    def place(self) -> str:
        """How far it has come, as one word: the same to whoever looks, and another one after each step."""
        return f"{self.job.state.value}-{self.parts_done}-{self.attempts}"


def progress_of(job: Job, records: Sequence[PartRecord], *, now_ms: int) -> Progress:
    if job.outcome is not None:
        outcome = job.outcome
        done = job.parts if outcome.state is JobState.COMPLETED else 0
        pace = _pace_of(job, outcome.counts, now_ms=outcome.finished_at_ms)
        return Progress(job, done, outcome.counts, outcome.attempts, replace(pace, seconds_left=0))
    results = [record.result for record in records if record.result is not None]
    counts = counts_of(results, job)
    return Progress(job, len(results), counts, attempts_of(job, records), _pace_of(job, counts, now_ms=now_ms))


def _pace_of(job: Job, done: Counts, *, now_ms: int) -> Pace:
    """What was `done` of the job until then, by time; parts under way do not count before they are done."""
    seconds = (now_ms - job.opened_at_ms) / 1000
    if not (job.opened_at_ms and done.bytes_in) or seconds <= 0:
        return Pace()
    bytes_per_second = done.bytes_in / seconds
    seconds_left = None if job.second_parts else max(job.bytes_in - done.bytes_in, 0) / bytes_per_second
    return Pace(done.records_in / seconds, bytes_per_second, seconds_left)


def attempts_of(job: Job, records: Sequence[PartRecord]) -> int:
    """How often the piece of work was tried that was tried most."""
    return max([job.lease.attempts, *(record.lease.attempts for record in records)])


def may_have_ended(job: Job, records: Sequence[PartRecord], *, now_ms: int) -> bool:
    """Whether the manifest may be there although the record does not say so: somebody was at it, and nobody is now."""
    leases = [job.lease, *(record.lease for record in records)]
    return (
        job.outcome is None
        and any(lease.fence for lease in leases)
        and not any(lease.is_held(now_ms) for lease in leases)
    )


def next_sweep_ms(submitted_at_ms: int, *, now_ms: int, least_ms: int) -> int:
    """When to look after an open job again: an older one later, so that a long queue is not filled with doubles."""
    return now_ms + min(max(now_ms - submitted_at_ms, least_ms), _LONGEST_SWEEP_MS)
