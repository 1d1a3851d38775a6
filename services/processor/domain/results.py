"""A job's result, or why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.processor.domain.outcomes import JobError, JobState
from shared.errors import Conflict, NotFound


class JobNotFinished(Conflict):
    """It may have a result later: `Retry-After` says when to ask, `Location` where to wait for it."""

    code, title = "job-not-finished", "The job has not ended yet"

    def __init__(self, processing_id: str) -> None:
        detail = f"The job {processing_id} has no result yet. GET /api/status/{processing_id}?wait=60 waits for it."
        super().__init__(
            detail,
            retry_after_seconds=1,
            extensions={"processing_id": processing_id},
            headers={"Location": f"/api/status/{processing_id}"},
        )


class JobFailed(Conflict):
    """A failed job has no result. `detail` says why it failed."""

    code, title = "job-failed", "The job has failed"

    def __init__(self, processing_id: str, error: JobError | None) -> None:
        reason = error.detail if error else "unknown"
        detail = f"The job {processing_id} has no result: it failed ({reason})."
        super().__init__(detail, extensions={"processing_id": processing_id})


class JobCancelled(Conflict):
    """A cancelled job has no result. `detail` says why it was cancelled."""

    code, title = "job-cancelled", "The job was cancelled"


class JobEnded(Conflict):
    """It is too late to cancel it: it has completed or failed. `state` says which."""

    code, title = "job-ended", "The job has ended"

    def __init__(self, processing_id: str, state: JobState) -> None:
        detail = f"The job {processing_id} has {state.value} already; it can't be cancelled any more."
        super().__init__(
            detail,
            extensions={"processing_id": processing_id, "state": state.value},
            headers={"Location": f"/api/status/{processing_id}"},
        )


class ResultExpired(NotFound):
    """It is older than `MAYFLY_JOB_RETENTION_DAYS`."""

    code, status, title = "result-expired", 410, "The result is not kept any more"

    def __init__(self, processing_id: str) -> None:
        detail = f"The result of {processing_id} has been removed: its time had come. Submit the job under another id."
        super().__init__(detail, extensions={"processing_id": processing_id})


def cancelled_result(processing_id: str, error: JobError | None) -> JobCancelled:
    reason = error.detail if error else "unknown"
    detail = f"The job {processing_id} has no result: it was cancelled ({reason})."
    return JobCancelled(detail, extensions={"processing_id": processing_id})


@dataclass(frozen=True, slots=True)
class ResultPart:
    """One object that the job has made, and a link to it."""

    url: str
    sha256: str
    records: int
    bytes: int
    partition: Mapping[str, str | None] | None = None
    """Of a result that is split: the values that its records have in the columns by which it is."""


@dataclass(frozen=True, slots=True)
class Result:
    """The manifest, the parts in order, and what was left out; all links end at `expires_at` (Unix seconds)."""

    processing_id: str
    manifest: Mapping[str, object]
    parts: Sequence[ResultPart]
    rejected: Sequence[ResultPart]
    expires_at: float
    split_by: Sequence[str]
    """The columns whose values stand in the parts' places, and not in their bytes."""

    @property
    def is_one_object(self) -> bool:
        """Whether its bytes are all there is to it."""
        return len(self.parts) == 1 and not self.split_by
