"""What becomes of a piece of work, and of the message that asked for it."""

from dataclasses import dataclass

from services.processor.domain.jobs import Job
from services.processor.domain.outcomes import JobError
from services.processor.domain.plans import Plan
from shared.errors import Problem, Unavailable


class TriedTooOften(Problem):
    """Several workers died of it, or failed in ways that we did not foresee."""

    code, status, title = "part-failed", 500, "The work could not be done"


class WaitedTooLong(Problem):
    """Something that we depend on did not answer for as long as a job may take."""

    code, status, title = "job-deadline-exceeded", 500, "The work could not be done in time"


@dataclass(frozen=True, slots=True)
class Planned:
    """The job runs by this plan; whoever planned it goes on with its first part."""

    job: Job
    plan: Plan


@dataclass(frozen=True, slots=True)
class Done:
    """All that the message asked for is durable."""


@dataclass(frozen=True, slots=True)
class Later:
    """Somebody else is at it, or something does not answer: the message shall come again after so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Poisoned:
    """It was tried too often or for too long. The job has failed, and the message goes where people look."""

    reason: str


Verdict = Done | Later | Poisoned


def tried_too_often(what: str, attempts: int) -> TriedTooOften:
    return TriedTooOften(f"{what} was tried {attempts} times in vain; the workers' logs say more")


def put_off_or_over(error: Unavailable, job: Job, *, now_ms: int, deadline_seconds: float) -> Problem:
    """What work ends with that met this: the same, to be tried again, or WaitedTooLong once the job is too old."""
    if now_ms - job.submitted_at_ms <= deadline_seconds * 1000:
        return error
    detail = f"the job was not done within {deadline_seconds:g} s; the last that stood in its way: {error.detail}"
    return WaitedTooLong(detail)


def verdict_on_failure(problem: Problem) -> Verdict:
    """The job has failed of this, for good."""
    return Poisoned(problem.detail) if isinstance(problem, TriedTooOften | WaitedTooLong) else Done()


def error_of(problem: Problem) -> JobError:
    """A problem as a job's record and manifest hold it."""
    details: dict[str, object] = dict(problem.extensions)
    if problem.errors:
        details["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in problem.errors]
    return JobError(problem.code, problem.detail, details)
