"""What would this job read, in which parts, and what would AWS ask for it?"""

import asyncio
from dataclasses import dataclass

from services.processor.domain.costs import Habits, Requests, requests_of
from services.processor.domain.job_names import JobRequest
from services.processor.domain.pipeline import Pipeline, parse_config
from services.processor.domain.pipeline_errors import DeadlineExceeded
from services.processor.domain.plans import Plan
from services.processor.domain.sources import Source, parse_source
from services.processor.domain.submissions import SourceAccess, Submission, chosen_id
from services.processor.settings import ProcessorSettings
from services.processor.stores.inputs import RANGE_BYTES
from services.processor.stores.job_files import CHUNK_BYTES, MOST_AT_ONCE_BYTES
from services.processor.stores.job_requests import JobRequests
from services.processor.stores.planner import Planner


@dataclass(frozen=True, slots=True)
class Trial:
    """What a job would be."""

    pipeline: Pipeline
    plan: Plan
    requests: Requests


@dataclass(frozen=True, slots=True)
class TryJob:
    requests: JobRequests
    planner: Planner
    access: SourceAccess
    settings: ProcessorSettings

    async def __call__(self, owner: str, submission: Submission) -> Trial:
        """Plan it as a job is planned. Nothing is written, and no id is taken.

        Raises:
            ValidationFailed: as the job would be refused, or would fail when it is planned.
            DeadlineExceeded: it took too long, its wait for previews included.
            RateLimited: too many of these wait already.
            Unavailable: DynamoDB or S3 does not answer.
        """
        seconds = self.settings.preview_deadline_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._try(owner, submission)
        except TimeoutError:
            raise DeadlineExceeded(
                f"the dry run took longer than {seconds:g} s; try again, name fewer objects, or submit the job"
            ) from None

    async def _try(self, owner: str, submission: Submission) -> Trial:
        chosen_id(submission)
        request = await self.requests.of(owner, submission)
        pipeline = parse_config(request.config)
        plan = await self.planner.plan(owner, request)
        size = len(request.text.encode())
        asked = requests_of(
            pipeline, plan, self._named(owner, request, pipeline), request_bytes=size, habits=self._habits()
        )
        return Trial(pipeline, plan, asked)

    def _named(self, owner: str, request: JobRequest, pipeline: Pipeline) -> list[tuple[Source, ...]]:
        rules = self.access.rules_for(owner)
        raw_sources = (request.data_source, *(join.raw_source for join in pipeline.joins))
        return [parse_source(raw_source, rules) for raw_source in raw_sources]

    def _habits(self) -> Habits:
        settings = self.settings
        return Habits(
            range_bytes=RANGE_BYTES,
            put_bytes=MOST_AT_ONCE_BYTES,
            chunk_bytes=CHUNK_BYTES,
            sample_bytes=settings.sample_bytes,
            sample_objects=settings.sample_objects,
            parts_at_once=settings.max_parts_at_once,
        )
