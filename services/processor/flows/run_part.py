"""A worker does one part of a job; who does the last one commits the job."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Counter, Gauge

from services.processor.domain.formats import NDJSON
from services.processor.domain.job_contexts import check_plan
from services.processor.domain.job_names import JobKey
from services.processor.domain.jobs import Job
from services.processor.domain.manifests import completed
from services.processor.domain.messages import WorkMessage
from services.processor.domain.outcomes import Counts, JobState
from services.processor.domain.part_results import PartResult, RejectedFile, first_stage_of, part_key, rejected_key
from services.processor.domain.parts_to_ask import parts_after
from services.processor.domain.pinned_sources import PinnedObject
from services.processor.domain.pipeline import parse_config
from services.processor.domain.plans import Plan, parse_plan
from services.processor.domain.progress import PartRecord, attempts_of
from services.processor.domain.work import (
    Done,
    Later,
    Planned,
    Verdict,
    manifest_on,
    verdict_on,
)
from services.processor.domain.work_errors import put_off_or_over, tried_too_often
from services.processor.settings import ProcessorSettings
from services.processor.stores.inputs import Inputs
from services.processor.stores.job_callers import JobCallers
from services.processor.stores.job_files import JobFiles
from services.processor.stores.jobs import Jobs
from services.processor.stores.lease_keeping import TAKEOVERS, Holding, JobIsOver, LeaseKeeping
from services.processor.stores.outcomes import Outcomes
from services.processor.stores.parts import Parts, PartTaken
from services.processor.stores.records import Records
from services.processor.stores.split_parts import SplitParts
from services.processor.stores.work_folder import WorkFolder, sha256_of, work_folder
from services.processor.stores.work_queue import Delivery, WorkQueue
from shared import clock
from shared.errors import Problem, Unavailable
from shared.telemetry.context import current_trace
from shared.telemetry.logs import get_logger

UNDER_WAY = Gauge("mayfly_parts_under_way", "Parts that this worker works on.")
RECORDS = Counter("mayfly_records_total", "Records that were read, rejected, written.", ["stage"])
BYTES = Counter("mayfly_bytes_total", "Bytes that were fetched from S3, read by the engine, written to S3.", ["stage"])
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunPart:
    jobs: Jobs
    parts: Parts
    callers: JobCallers
    inputs: Inputs
    files: JobFiles
    split_parts: SplitParts
    queue: WorkQueue
    keeping: LeaseKeeping
    outcomes: Outcomes
    records: Records
    folder: Path
    settings: ProcessorSettings
    now: clock.Clock

    async def __call__(self, key: JobKey, part: int, delivery: Delivery, planned: Planned | None) -> Verdict:
        """Do the part, if it is to be done; `planned` saves a caller who knows the plan two reads.

        Raises:
            LeaseLost: another worker does it.
            Unavailable: to be tried again.
        """
        planned = planned or await self._look_up(key)
        if planned is None:
            return Done()
        with work_folder(self.folder, self.inputs) as folder:  # it goes last: nobody waits for that
            return await self._run(planned.job, planned.plan, part, delivery, folder)

    async def _look_up(self, key: JobKey) -> Planned | None:
        job = await self.jobs.get(key)
        plan = await self.files.plan(key) if job is not None and job.state is JobState.RUNNING else None
        return None if job is None or plan is None else Planned(job, parse_plan(plan))

    async def _run(self, job: Job, plan: Plan, part: int, delivery: Delivery, folder: WorkFolder) -> Verdict:
        first_stage = await self._first_stage(job, plan, part)
        if first_stage is None:
            return Done()  # whoever does the last part of the first stage asks for it again
        try:
            record = await self.parts.lease(
                job.key,
                part,
                now_ms=self._now_ms(),
                until_ms=self.keeping.until_ms(),
                expires_at=job.submitted_at_ms // 1000 + self.settings.job_record_seconds,
            )
        except PartTaken as taken:
            if taken.record.result is None:
                return Later((taken.record.lease.until_ms - self._now_ms()) / 1000)
            return await self._commit_or_go_on(job, plan, part, await self.parts.all_of(job.key))
        TAKEOVERS.labels("part").inc(record.lease.took_over)
        holding = Holding(job.key, part, record.lease.fence, delivery)
        try:
            if record.lease.attempts > self.settings.max_attempts:
                raise tried_too_often(f"part {part}", self.settings.max_attempts)
            with UNDER_WAY.track_inprogress():
                result = await self.keeping.during(
                    holding, self._do_and_record(job, plan, holding, folder, first_stage)
                )
        except JobIsOver:
            log.info("part_not_needed", part=part)
            return Done()
        except Unavailable:
            raise
        except Problem as problem:
            return await self._end(job, problem, holding, attempts=record.lease.attempts)
        alone = job.parts == 1
        records = [PartRecord(part, record.lease, result)] if alone else await self.parts.all_of(job.key)
        return await self._commit_or_go_on(job, plan, part, records)

    async def _first_stage(self, job: Job, plan: Plan, part: int) -> Sequence[PinnedObject] | None:
        """What the first stage has stored for a part of the second, None until that is all; nothing for any other."""
        if part < job.first_parts:
            return ()
        results = first_stage_of(job, _results_of(await self.parts.all_of(job.key)))
        if results is None:
            return None
        keys = [part_key(job, plan, one.part, one.sha256) for one in results]
        return [
            PinnedObject(self.settings.bucket, key, "", one.counts.bytes_out)
            for key, one in zip(keys, results, strict=True)
        ]

    async def _do_and_record(
        self, job: Job, plan: Plan, holding: Holding, folder: WorkFolder, first_stage: Sequence[PinnedObject]
    ) -> PartResult:
        assert holding.part is not None  # noqa: S101 - ours
        try:
            await self.callers.check(job)
            check_plan(plan, job)
            result = await self._do(job, plan, holding.part, folder, first_stage)
            await self.parts.record(job.key, result, fence=holding.fence)
        except Unavailable as error:
            raise self._put_off_or_over(error, job) from error
        log.info("part_done", part=result.part, records=result.counts.records_out, fence=holding.fence)
        return result

    async def _do(
        self, job: Job, plan: Plan, part: int, folder: WorkFolder, first_stage: Sequence[PinnedObject]
    ) -> PartResult:
        """Fetch, work, and store; the bytes depend on nothing but the plan and the request."""
        fetched = await folder.fetch(parse_config(job.request.config), plan, part, first_stage)
        BYTES.labels("fetched").inc(fetched.bytes_in + fetched.bytes_joined)
        output, left_out = folder.path / "output", folder.path / "rejected"
        counts, splits = await self.records.run(job, plan, part=part, fetched=fetched, output=output, rejected=left_out)
        _count_read(counts)
        rejected = await self._keep_rejected(job, part, left_out) if left_out.exists() else None
        if plan.splits(part):
            sha256 = await self.split_parts.put(job, plan, part, splits)
        else:
            sha256 = await self._keep(job, plan, part, output)
        RECORDS.labels("written").inc(counts.records_out)
        BYTES.labels("written").inc(counts.bytes_out)
        return PartResult(part, sha256, counts, rejected)

    async def _keep(self, job: Job, plan: Plan, part: int, path: Path) -> str:
        sha256 = await asyncio.to_thread(sha256_of, path)
        object_key, content_type = part_key(job, plan, part, sha256), plan.encoding_of(part).content_type
        await self.files.put_part(object_key, path, content_type=content_type, sha256=sha256)
        return sha256

    async def _keep_rejected(self, job: Job, part: int, path: Path) -> RejectedFile:
        sha256 = await asyncio.to_thread(sha256_of, path)
        object_key = rejected_key(job, part, sha256)
        await self.files.put_part(object_key, path, content_type=NDJSON.content_type, sha256=sha256)
        return RejectedFile(sha256, (await asyncio.to_thread(path.stat)).st_size)

    async def _commit_or_go_on(self, job: Job, plan: Plan, part: int, records: Sequence[PartRecord]) -> Verdict:
        """Who does the last part commits; who does another one asks for what has waited for it."""
        results = _results_of(records)
        if len(results) == job.parts:
            manifest = await self._manifest(job, plan, results, attempts_of(job, records))
            await self.outcomes.commit(job.key, manifest)
        elif following := parts_after(job, part, records):
            traceparent = current_trace().traceparent
            await self.queue.send_all([WorkMessage(job.key, one, traceparent) for one in following])
        return Done()

    async def _manifest(self, job: Job, plan: Plan, results: Sequence[PartResult], attempts: int) -> dict[str, object]:
        """The end of a job whose parts are all done: the same, whoever of several writes it."""
        bucket = self.settings.bucket
        try:
            splits = await self.split_parts.lists_of(job, plan, results)
        except Unavailable:
            raise
        except Problem as problem:
            return manifest_on(problem, job, attempts=attempts, finished_at_ms=self._now_ms())
        now_ms = self._now_ms()
        return completed(job, plan, results, splits, bucket=bucket, attempts=attempts, finished_at_ms=now_ms)

    def _put_off_or_over(self, error: Unavailable, job: Job) -> Problem:
        limit = self.settings.job_deadline_seconds
        return put_off_or_over(error, job, now_ms=self._now_ms(), deadline_seconds=limit)

    async def _end(self, job: Job, problem: Problem, holding: Holding, *, attempts: int) -> Verdict:
        await self.keeping.renew(holding)  # the manifest knows no fence, and another worker may be doing well
        manifest = manifest_on(problem, job, attempts=attempts, finished_at_ms=self._now_ms())
        await self.outcomes.commit(job.key, manifest)
        return verdict_on(problem)

    def _now_ms(self) -> int:
        return round(self.now() * 1000)


def _results_of(records: Sequence[PartRecord]) -> list[PartResult]:
    return [record.result for record in records if record.result is not None]


def _count_read(counts: Counts) -> None:
    RECORDS.labels("read").inc(counts.records_in)
    RECORDS.labels("rejected").inc(counts.records_rejected)
    BYTES.labels("read").inc(counts.bytes_in)
