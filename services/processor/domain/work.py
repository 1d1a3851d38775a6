"""What becomes of a piece of work, and of the message that asked for it."""

from dataclasses import dataclass

from services.processor.domain.jobs import Job
from services.processor.domain.outcomes import JobError
from services.processor.domain.plans import Plan
from services.processor.domain.work_errors import TriedTooOften, WaitedTooLong
from shared.errors import Problem


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


def verdict_on_failure(problem: Problem) -> Verdict:
    """The job has failed of this, for good."""
    return Poisoned(problem.detail) if isinstance(problem, TriedTooOften | WaitedTooLong) else Done()


def error_of(problem: Problem) -> JobError:
    """A problem as a job's record and manifest hold it."""
    details: dict[str, object] = dict(problem.extensions)
    if problem.errors:
        details["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in problem.errors]
    return JobError(problem.code, problem.detail, details)
