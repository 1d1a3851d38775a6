"""The end of a job: the manifest first, which decides, then the record, which only says it."""

from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from services.processor.domain.job_names import JobKey
from services.processor.domain.jobs import Job
from services.processor.domain.manifests import manifest_text, outcome_of, parse_manifest
from services.processor.domain.outcomes import Outcome
from services.processor.stores.job_files import JobFiles
from services.processor.stores.jobs import Jobs
from shared.telemetry.logs import get_logger

ENDED = Counter("mayfly_jobs_ended_total", "Jobs that this process has brought to their end.", ["state"])
JOB_SECONDS = Histogram(
    "mayfly_job_seconds", "From acceptance to the end.", ["state"], buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
)
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcomes:
    files: JobFiles
    jobs: Jobs

    async def commit(self, key: JobKey, manifest: dict[str, object]) -> Job:
        """End the job by this manifest, unless it has one. Gives the job as it has ended.

        Raises:
            Unavailable: S3 or DynamoDB does not answer; the job may have ended.
        """
        decided = await self.files.decide_manifest(key, manifest_text(manifest))
        job = await self.jobs.finish(key, outcome_of(parse_manifest(decided)))
        if job.outcome is not None:
            _tell(job, job.outcome)
        return job

    async def repair(self, key: JobKey) -> Job | None:
        """Let the record follow the manifest; None when the job has none, and so has not ended."""
        decided = await self.files.manifest(key)
        return None if decided is None else await self.jobs.finish(key, outcome_of(parse_manifest(decided)))


def _tell(job: Job, outcome: Outcome) -> None:
    milliseconds = outcome.finished_at_ms - job.submitted_at_ms
    ENDED.labels(outcome.state.value).inc()
    JOB_SECONDS.labels(outcome.state.value).observe(milliseconds / 1000)
    error = {"code": outcome.error.code, "detail": outcome.error.detail} if outcome.error else {}
    log.info("job_ended", state=outcome.state.value, milliseconds=milliseconds, **error)
