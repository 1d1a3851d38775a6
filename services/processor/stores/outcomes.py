"""The end of a job: the manifest first, which decides, then the record, which only says it."""

from dataclasses import dataclass

from services.processor.domain.job_names import JobKey
from services.processor.domain.jobs import Job
from services.processor.domain.manifests import manifest_text, outcome_of, parse_manifest
from services.processor.stores.job_files import JobFiles
from services.processor.stores.jobs import Jobs


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
        return await self.jobs.finish(key, outcome_of(parse_manifest(decided)))

    async def repair(self, key: JobKey) -> Job | None:
        """Let the record follow the manifest; None when the job has none, and so has not ended."""
        decided = await self.files.manifest(key)
        return None if decided is None else await self.jobs.finish(key, outcome_of(parse_manifest(decided)))
