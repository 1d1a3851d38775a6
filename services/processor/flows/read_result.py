"""Give me my result."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.processor.domain.job_names import JobKey, JobNotFound, parse_processing_id
from services.processor.domain.manifests import parse_manifest
from services.processor.domain.outcomes import JobState
from services.processor.domain.results import (
    JobFailed,
    JobNotFinished,
    Result,
    ResultExpired,
    ResultPart,
    cancelled_result,
)
from services.processor.settings import ProcessorSettings
from services.processor.stores.job_files import JobFiles
from services.processor.stores.jobs import Jobs
from services.processor.stores.links import Links
from services.processor.stores.outcomes import Outcomes
from shared import clock
from shared.telemetry.context import bind


@dataclass(frozen=True, slots=True)
class ReadResult:
    jobs: Jobs
    files: JobFiles
    outcomes: Outcomes
    links: Links
    settings: ProcessorSettings
    now: clock.Clock

    async def __call__(self, owner: str, raw_processing_id: str) -> Result:
        """The manifest and a link to each part.

        Raises:
            ValidationFailed: that is no id.
            JobNotFound: the owner has no such job.
            JobNotFinished, JobFailed, JobCancelled, ResultExpired: it has no result: not yet, not ever, not any more.
            Unavailable: it is not known now.
        """
        key = JobKey(owner, parse_processing_id(raw_processing_id, "processing_id"))
        bind(job_id=key.processing_id)
        job = await self.jobs.get(key)
        if job is None:
            raise JobNotFound("You have no job of that id. GET /api/process lists yours.")
        if job.outcome is None:  # or its record lags behind
            job = await self.outcomes.repair(key) or job
        if job.outcome is None:
            raise JobNotFinished(key.processing_id)
        if job.outcome.state is JobState.CANCELLED:
            raise cancelled_result(key.processing_id, job.outcome.error)
        if job.outcome.state is JobState.FAILED:
            raise JobFailed(key.processing_id, job.outcome.error)
        text = await self.files.manifest(key)
        if text is None:
            raise ResultExpired(key.processing_id)
        return await self._with_links(key.processing_id, parse_manifest(text))

    async def _with_links(self, processing_id: str, manifest: Mapping[str, Any]) -> Result:
        seconds = self.settings.result_url_seconds
        expires_at = self.now() + seconds
        parts = [await self._with_link(part, seconds) for part in manifest["parts"]]
        rejected = [await self._with_link(part, seconds) for part in manifest.get("rejected", [])]
        return Result(processing_id, manifest, parts, rejected, expires_at, manifest["plan"].get("partition_by", ()))

    async def _with_link(self, part: Mapping[str, Any], seconds: int) -> ResultPart:
        await asyncio.sleep(0)  # to sign is work of this process alone: others shall go on between two links
        url = await self.links.download(part["key"], seconds=seconds)
        return ResultPart(url, part["sha256"], part["records"], part["bytes"], part.get("partition"))
