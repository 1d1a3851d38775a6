"""What becomes of a piece of work, and of the message that asked for it."""

from dataclasses import dataclass

from services.processor.domain.contexts import ContextRefused
from services.processor.domain.job_contexts import CallerRevoked
from services.processor.domain.jobs import Job
from services.processor.domain.manifests import cancelled, failed
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
    """The job has failed in a way that somebody has to look into, and the message goes where people look."""

    reason: str


Verdict = Done | Later | Poisoned


def manifest_on(problem: Problem, job: Job, *, attempts: int, finished_at_ms: int) -> dict[str, object]:
    """The end of a job whose work met this: it is cancelled if its caller was revoked, else it has failed."""
    end = cancelled if isinstance(problem, CallerRevoked) else failed
    return end(job, error_of(problem), attempts=attempts, finished_at_ms=finished_at_ms)


def verdict_on(problem: Problem) -> Verdict:
    """The job has ended by this, for good."""
    poisoned = isinstance(problem, TriedTooOften | WaitedTooLong | ContextRefused)
    return Poisoned(problem.detail) if poisoned else Done()


def error_of(problem: Problem) -> JobError:
    """A problem as a job's record and manifest hold it."""
    details: dict[str, object] = dict(problem.extensions)
    if problem.errors:
        details["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in problem.errors]
    return JobError(problem.code, problem.detail, details)
