"""An object has arrived, or a moment has come: the pipelines that wait for it are run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from prometheus_client import Counter

from services.processor.domain.job_names import JobConflict, JobKey
from services.processor.domain.jobs import Job
from services.processor.domain.stored_pipelines import StoredPipeline
from services.processor.domain.submissions import SourceAccess, run_of
from services.processor.domain.trigger_events import ObjectEvent, TriggerEvent, parse_trigger
from services.processor.flows.arm_pipeline import ArmPipeline, Disarmed
from services.processor.flows.keep_schedule import KeepSchedule
from services.processor.stores.acceptance import Acceptance
from services.processor.stores.stored_pipelines import StoredPipelines
from shared import clock
from shared.errors import ValidationFailed
from shared.telemetry.context import current_trace
from shared.telemetry.logs import get_logger

TRIGGERED = Counter("mayfly_triggered_total", "Runs of pipelines that an object or a schedule triggered.", ["outcome"])
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunTriggered:
    pipelines: StoredPipelines
    arm_pipeline: ArmPipeline
    keep_schedule: KeepSchedule
    acceptance: Acceptance
    access: SourceAccess
    now: clock.Clock

    async def __call__(self, raw_body: str) -> None:
        """Accept a job for each pipeline that waits for such an object, or such a moment.

        The same message again finds the same jobs.

        Raises:
            UnknownMessage: it tells of neither.
            QuotaExceeded, QueueFull, RevocationUnknown, Unavailable: to be tried again.
        """
        for event in parse_trigger(raw_body):
            for pipeline in await self._waiting_for(event):
                await self._run(pipeline, event)

    async def _waiting_for(self, event: TriggerEvent) -> Sequence[StoredPipeline]:
        if isinstance(event, ObjectEvent):
            found = await self.pipelines.with_triggers(event.owner) if event.owner else ()
            return [pipeline for pipeline in found if pipeline.waits_for(event.bucket, event.key)]
        pipeline = await self.pipelines.get(event.owner, event.pipeline)
        if pipeline is None or pipeline.schedule is None:
            await self.keep_schedule(event.owner, event.pipeline)  # a rule that was left behind
            return ()
        return [pipeline]

    async def _run(self, pipeline: StoredPipeline, event: TriggerEvent) -> None:
        key = JobKey(pipeline.owner, event.processing_id(pipeline.name))
        try:
            requester = await self.arm_pipeline.requester_of(pipeline)
            request = run_of(pipeline, event.url, self.access.rules_for(pipeline.owner))
            now = self.now()
            job = Job(key, request, round(now * 1000), traceparent=current_trace().traceparent)
            signed = self.arm_pipeline.contexts.sign(job.subject, requester, int(now))
            await self.acceptance.accept(replace(job, context=signed))
        except Disarmed:
            TRIGGERED.labels("disarmed").inc()
        except JobConflict:
            # The pipeline was changed between two deliveries of one event: the job that the first one made stands.
            TRIGGERED.labels("repeated").inc()
        except ValidationFailed as problem:
            TRIGGERED.labels("refused").inc()
            log.warning("trigger_refused", caller=key.owner, pipeline=pipeline.name, detail=problem.detail)
        else:
            TRIGGERED.labels("accepted").inc()
            log.info("triggered", caller=key.owner, pipeline=pipeline.name, job_id=key.processing_id)
