"""How work fails for good by no fault of its job."""

from services.processor.domain.jobs import Job
from shared.errors import Problem, Unavailable


class TriedTooOften(Problem):
    """Several workers died of it, or failed in ways that we did not foresee."""

    code, status, title = "part-failed", 500, "The work could not be done"


class WaitedTooLong(Problem):
    """Something that we depend on did not answer for as long as a job may take."""

    code, status, title = "job-deadline-exceeded", 500, "The work could not be done in time"


class FirstStageGone(Problem):
    """What the first of two stages has stored was removed before the second could read it. Submit the job anew."""

    code, status, title = "first-stage-gone", 500, "The work could not be done"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was removed while the job ran; submit the job again under another id")


class PartListGone(Problem):
    """A part's list of what it has made of a split result was removed before the end. Submit the job anew."""

    code, status, title = "part-list-gone", 500, "The work could not be done"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was removed while the job ran; submit the job again under another id")


def tried_too_often(what: str, attempts: int) -> TriedTooOften:
    return TriedTooOften(f"{what} was tried {attempts} times in vain; the workers' logs say more")


def put_off_or_over(error: Unavailable, job: Job, *, now_ms: int, deadline_seconds: float) -> Problem:
    """What work ends with that met this: the same, to be tried again, or WaitedTooLong once the job is too old."""
    if now_ms - job.submitted_at_ms <= deadline_seconds * 1000:
        return error
    detail = f"the job was not done within {deadline_seconds:g} s; the last that stood in its way: {error.detail}"
    return WaitedTooLong(detail)
