"""How a job's end is told to others: an event of EventBridge."""

from dataclasses import asdict, dataclass

from services.processor.domain.fingerprint import canonical_json, fingerprint
from services.processor.domain.job_names import JobKey
from services.processor.domain.outcomes import JobState, Outcome
from shared import clock

SOURCE = "mayfly.processor"
DETAIL_TYPES = {
    JobState.COMPLETED: "Job Completed",
    JobState.FAILED: "Job Failed",
    JobState.CANCELLED: "Job Cancelled",
}
_ID_CHARACTERS = 32
_MOST_REASON_CHARACTERS = 2000
"""An event has at most 256 KB, and a reason may quote the client's own words."""


@dataclass(frozen=True, slots=True)
class JobEvent:
    """A job has ended. `id` is the same however often it is told: by it a consumer knows doubles."""

    key: JobKey
    submitted_at_ms: int
    outcome: Outcome

    @property
    def id(self) -> str:
        text = canonical_json([self.key.owner, self.key.processing_id, self.submitted_at_ms])
        return f"evt_{fingerprint(text)[:_ID_CHARACTERS]}"

    @property
    def detail_type(self) -> str:
        return DETAIL_TYPES[self.outcome.state]

    def detail(self, bucket: str) -> str:
        """`bucket` is where the job's manifest lies."""
        outcome, error = self.outcome, self.outcome.error
        values = {
            "event_id": self.id,
            "owner": self.key.owner,
            "processing_id": self.key.processing_id,
            "state": outcome.state.value,
            "submitted_at": clock.rfc3339(self.submitted_at_ms / 1000),
            "finished_at": clock.rfc3339(outcome.finished_at_ms / 1000),
            "result_location": outcome.result_location,
            "manifest_location": f"s3://{bucket}/{self.key.folder}manifest.json",
            "counts": asdict(outcome.counts),
            "reason": error and {"code": error.code, "detail": error.detail[:_MOST_REASON_CHARACTERS]},
        }
        return canonical_json(values)
