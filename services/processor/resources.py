"""What a processor and a worker hold while they run: clients, and the flows made of them. All is composed here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.processor.domain.contexts import ContextIssuer
from services.processor.domain.job_names import JobKey
from services.processor.domain.submissions import SourceAccess
from services.processor.engine.session import EngineLimits
from services.processor.flows.arm_pipeline import ArmPipeline
from services.processor.flows.cancel_job import CancelJob
from services.processor.flows.combine_result import CombineResult
from services.processor.flows.complete_upload import CompleteUpload
from services.processor.flows.delete_pipeline import DeletePipeline
from services.processor.flows.follow_job import FollowJob
from services.processor.flows.keep_schedule import KeepSchedule
from services.processor.flows.keep_triggers import KeepTriggers
from services.processor.flows.list_jobs import ListJobs
from services.processor.flows.list_pipelines import ListPipelines
from services.processor.flows.plan_job import PlanJob
from services.processor.flows.preview_pipeline import PreviewPipeline
from services.processor.flows.publish_events import PublishEvents
from services.processor.flows.read_pipeline import ReadPipeline
from services.processor.flows.read_result import ReadResult
from services.processor.flows.read_status import ReadStatus
from services.processor.flows.run_part import RunPart
from services.processor.flows.run_triggered import RunTriggered
from services.processor.flows.start_upload import StartUpload
from services.processor.flows.store_pipeline import StorePipeline
from services.processor.flows.submit_job import SubmitJob
from services.processor.flows.sweep_jobs import SweepJobs
from services.processor.flows.try_job import TryJob
from services.processor.settings import ProcessorSettings
from services.processor.stores.acceptance import Acceptance
from services.processor.stores.admission import Admission, QueueRoom
from services.processor.stores.cutting import Cutting
from services.processor.stores.event_bus import EventBus
from services.processor.stores.inputs import Inputs
from services.processor.stores.job_callers import JobCallers
from services.processor.stores.job_files import JobFiles
from services.processor.stores.job_keys import TABLE
from services.processor.stores.job_requests import JobRequests
from services.processor.stores.job_watch import JobWatch
from services.processor.stores.jobs import Jobs
from services.processor.stores.large_uploads import LargeUploads
from services.processor.stores.lease_keeping import LeaseKeeping
from services.processor.stores.links import Links
from services.processor.stores.outbox import Outbox
from services.processor.stores.outcomes import Outcomes
from services.processor.stores.parts import Leases, Parts
from services.processor.stores.planner import LookInto, Planner
from services.processor.stores.records import Records
from services.processor.stores.schedule_rules import ScheduleRules
from services.processor.stores.source_finder import SourceFinder
from services.processor.stores.split_parts import SplitParts
from services.processor.stores.stored_pipelines import StoredPipelines
from services.processor.stores.stream_places import StreamPlaces
from services.processor.stores.work_folder import process_folder
from services.processor.stores.work_queue import QueueUrl, WorkQueue
from shared import clock
from shared.clients.aws import aws_errors, open_dynamodb, open_events, open_s3, open_sqs
from shared.clients.aws_types import DynamoDBClient, S3Client, SQSClient
from shared.web.health import ReadinessCheck


@dataclass(frozen=True, slots=True)
class Stores:
    """The outside world, as both processor and worker see it."""

    dynamodb: DynamoDBClient
    s3: S3Client
    jobs: Jobs
    pipelines: StoredPipelines
    parts: Parts
    leases: Leases
    inputs: Inputs
    files: JobFiles
    outcomes: Outcomes
    queue: WorkQueue
    schedule_rules: ScheduleRules | None
    bus: EventBus | None
    links: Links
    records: Records
    access: SourceAccess
    folder: Path

    def checks(self) -> tuple[ReadinessCheck, ...]:
        """Whether the outside world answers. Each says at most a word of what it found."""

        async def dynamodb() -> str:
            await self.jobs.get(JobKey("readiness", "none"))
            return "answers"

        async def s3() -> str:
            with aws_errors("S3"):
                await self.s3.head_bucket(Bucket=self.files.bucket)
            return "answers"

        async def queue() -> str:
            return f"about {await self.queue.waiting()} waiting"

        return ReadinessCheck("dynamodb", dynamodb), ReadinessCheck("s3", s3), ReadinessCheck("queue", queue)


@dataclass(frozen=True, slots=True)
class ProcessorFlows:
    """What the routes call."""

    submit_job: SubmitJob
    try_job: TryJob
    read_status: ReadStatus
    follow_job: FollowJob
    list_jobs: ListJobs
    cancel_job: CancelJob
    read_result: ReadResult
    combine_result: CombineResult
    start_upload: StartUpload
    complete_upload: CompleteUpload
    preview_pipeline: PreviewPipeline
    store_pipeline: StorePipeline
    read_pipeline: ReadPipeline
    list_pipelines: ListPipelines
    delete_pipeline: DeletePipeline
    triggers: "TriggerFlows | None"


@dataclass(frozen=True, slots=True)
class TriggerFlows:
    """What a processor calls by itself."""

    run_triggered: RunTriggered
    keep_triggers: KeepTriggers


@dataclass(frozen=True, slots=True)
class WorkerFlows:
    """What the worker calls."""

    plan_job: PlanJob
    run_part: RunPart
    sweep_jobs: SweepJobs
    publish_events: PublishEvents | None


@asynccontextmanager
async def open_stores(
    settings: ProcessorSettings, *, s3_read_seconds: float = 3, long_poll_seconds: int = 0
) -> AsyncIterator[Stores]:
    """Opens clients; connects on first use, so it does not fail because something is down.

    What one call may take suits who answers requests; a worker waits longer.
    """
    async with AsyncExitStack() as stack:
        dynamodb = await stack.enter_async_context(open_dynamodb(settings))
        s3 = await stack.enter_async_context(open_s3(settings, read_timeout_seconds=s3_read_seconds))
        signer = await stack.enter_async_context(open_s3(settings, endpoint_url=settings.s3_public_endpoint))
        sqs = await stack.enter_async_context(open_sqs(settings, long_poll_seconds=long_poll_seconds))
        folder = stack.enter_context(process_folder(settings.work_dir))
        table = settings.table_prefix + TABLE
        bus, rules = None, None
        if settings.event_bus or settings.trigger_queue_name:
            events = await stack.enter_async_context(open_events(settings))
            bus = EventBus(events, settings.event_bus, settings.bucket) if settings.event_bus else None
            rules = ScheduleRules(events, sqs, settings.trigger_queue_name) if settings.trigger_queue_name else None
        jobs, files = Jobs(dynamodb, table, with_outbox=bus is not None), JobFiles(s3, settings.bucket)
        yield Stores(
            dynamodb=dynamodb,
            s3=s3,
            jobs=jobs,
            pipelines=StoredPipelines(dynamodb, table),
            parts=Parts(dynamodb, table),
            leases=Leases(dynamodb, table),
            inputs=Inputs(s3),
            files=files,
            outcomes=Outcomes(files, jobs),
            queue=work_queue(sqs, settings, settings.queue_name),
            schedule_rules=rules,
            bus=bus,
            links=Links(signer, settings.bucket),
            records=Records(
                _engine_limits(settings, folder),
                preview_seconds=settings.preview_deadline_seconds,
                previews_at_once=settings.slots,
                previews_waiting=settings.max_waiting_previews,
            ),
            folder=folder,
            access=SourceAccess(settings.bucket, settings.shared_prefixes, sample_allowed=settings.mode == "local"),
        )


def processor_flows(
    stores: Stores,
    settings: ProcessorSettings,
    contexts: ContextIssuer,
    callers: JobCallers,
    now: clock.Clock = clock.now,
) -> ProcessorFlows:
    finder = SourceFinder(stores.inputs, settings.preview_bytes, settings.max_objects, settings.max_listed_keys, 1)
    watch = JobWatch(stores.parts, stores.outcomes)
    requests = JobRequests(stores.pipelines, stores.access)
    large_uploads = LargeUploads(stores.s3, stores.links.s3, settings.bucket)
    planner = _planner(stores, settings, stores.records.try_inputs, only_about=True)
    admission = Admission(stores.jobs, settings.quotas, QueueRoom(stores.queue, settings.quotas, now))
    acceptance = Acceptance(stores.jobs, admission, stores.queue, settings)
    arm_pipeline = ArmPipeline(stores.pipelines, contexts, callers, now)
    keep_schedule = KeepSchedule(stores.pipelines, stores.schedule_rules) if stores.schedule_rules else None
    return ProcessorFlows(
        submit_job=SubmitJob(stores.jobs, requests, acceptance, contexts, now),
        try_job=TryJob(requests, planner, stores.access, settings),
        read_status=ReadStatus(stores.jobs, watch, now),
        follow_job=FollowJob(stores.jobs, watch, StreamPlaces(settings.max_event_streams), now),
        list_jobs=ListJobs(stores.jobs),
        cancel_job=CancelJob(stores.jobs, stores.outcomes, now),
        read_result=ReadResult(stores.jobs, stores.files, stores.outcomes, stores.links, settings, now),
        combine_result=CombineResult(stores.files),
        start_upload=StartUpload(stores.links, large_uploads, settings, now),
        complete_upload=CompleteUpload(large_uploads),
        preview_pipeline=PreviewPipeline(
            finder, stores.inputs, stores.folder, stores.records, stores.access, settings, now
        ),
        store_pipeline=StorePipeline(stores.pipelines, arm_pipeline, keep_schedule, stores.access, settings, now),
        read_pipeline=ReadPipeline(stores.pipelines),
        list_pipelines=ListPipelines(stores.pipelines),
        delete_pipeline=DeletePipeline(stores.pipelines, keep_schedule),
        triggers=TriggerFlows(
            RunTriggered(stores.pipelines, arm_pipeline, keep_schedule, acceptance, stores.access, now),
            KeepTriggers(stores.pipelines, arm_pipeline, keep_schedule, now),
        )
        if keep_schedule
        else None,
    )


def worker_flows(
    stores: Stores, settings: ProcessorSettings, callers: JobCallers, now: clock.Clock = clock.now
) -> WorkerFlows:
    keeping = LeaseKeeping(stores.leases, stores.jobs, stores.queue, settings.lease_seconds, now)
    return WorkerFlows(
        plan_job=PlanJob(
            jobs=stores.jobs,
            parts=stores.parts,
            callers=callers,
            files=stores.files,
            queue=stores.queue,
            keeping=keeping,
            outcomes=stores.outcomes,
            planner=_planner(stores, settings, stores.records.plan_inputs),
            settings=settings,
            now=now,
        ),
        run_part=RunPart(
            jobs=stores.jobs,
            parts=stores.parts,
            callers=callers,
            inputs=stores.inputs,
            files=stores.files,
            split_parts=SplitParts(stores.files),
            queue=stores.queue,
            keeping=keeping,
            outcomes=stores.outcomes,
            records=stores.records,
            folder=stores.folder,
            settings=settings,
            now=now,
        ),
        sweep_jobs=SweepJobs(stores.jobs, stores.parts, stores.queue, settings, now),
        publish_events=PublishEvents(Outbox(stores.dynamodb, stores.jobs.table), stores.bus, now)
        if stores.bus
        else None,
    )


def work_queue(sqs: SQSClient, settings: ProcessorSettings, name: str) -> WorkQueue:
    """The queue of this name; what can't be done goes where all such work goes."""
    return WorkQueue(sqs, QueueUrl(sqs, name), QueueUrl(sqs, settings.dead_letter_queue_name))


def _planner(stores: Stores, settings: ProcessorSettings, look_into: LookInto, *, only_about: bool = False) -> Planner:
    return Planner(
        SourceFinder(
            stores.inputs,
            settings.sample_bytes,
            settings.max_objects,
            settings.max_listed_keys,
            settings.sample_objects,
        ),
        look_into,
        Cutting(stores.inputs, settings.partition_bytes, settings.engine_max_plain_mb << 20, only_about),
        stores.access,
    )


def _engine_limits(settings: ProcessorSettings, folder: Path) -> EngineLimits:
    return EngineLimits(
        memory_bytes=settings.engine_memory_mb * 1024 * 1024,
        threads=settings.engine_threads,
        deadline_seconds=settings.engine_deadline_seconds,
        temp_dir=folder,
        max_plain_bytes=settings.engine_max_plain_mb * 1024 * 1024,
    )
