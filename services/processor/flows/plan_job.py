"""A worker plans a job: what is read, in which parts, as what columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.processor.domain.job_names import JobKey
from services.processor.domain.jobs import Job
from services.processor.domain.messages import WorkMessage
from services.processor.domain.outcomes import JobState
from services.processor.domain.parts_to_ask import missing_parts
from services.processor.domain.plans import Plan, parse_plan, plan_text
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
from services.processor.stores.job_callers import JobCallers
from services.processor.stores.job_files import JobFiles
from services.processor.stores.jobs import Jobs, LeaseRefused
from services.processor.stores.lease_keeping import TAKEOVERS, Holding, LeaseKeeping
from services.processor.stores.outcomes import Outcomes
from services.processor.stores.parts import Parts
from services.processor.stores.planner import Planner
from services.processor.stores.work_queue import Delivery, WorkQueue
from shared import clock
from shared.errors import Problem, Unavailable
from shared.telemetry.context import current_trace
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PlanJob:
    jobs: Jobs
    parts: Parts
    callers: JobCallers
    files: JobFiles
    queue: WorkQueue
    keeping: LeaseKeeping
    outcomes: Outcomes
    planner: Planner
    settings: ProcessorSettings
    now: clock.Clock

    async def __call__(self, key: JobKey, delivery: Delivery) -> Planned | Verdict:
        """Let the job run by one plan, whoever made it, and ask for its parts, all but the first: the caller does that.

        Raises:
            LeaseLost: another worker plans it.
            Unavailable: to be tried again.
        """
        try:
            job = await self.jobs.lease_plan(key, now_ms=self._now_ms(), until_ms=self.keeping.until_ms())
        except LeaseRefused as refused:
            return await self._join(refused.job)
        TAKEOVERS.labels("plan").inc(job.lease.took_over)
        holding = Holding(key, None, job.lease.fence, delivery)
        try:
            if job.lease.attempts > self.settings.max_attempts:
                raise tried_too_often("the plan", self.settings.max_attempts)
            return await self.keeping.during(holding, self._plan_and_open(job))
        except Unavailable:
            raise
        except Problem as problem:
            await self.keeping.renew(holding)  # the manifest knows no fence, and another worker may be doing well
            return await self._end(job, problem)

    async def _plan_and_open(self, job: Job) -> Planned | Verdict:
        try:
            await self.callers.check(job)
            ours = await self.planner.plan(job.key.owner, job.request)
            plan = parse_plan(await self.files.decide_plan(job.key, plan_text(ours)))
            at_once = await self._parts_at_once(job, plan)
            job = await self.jobs.open(job.key, plan, at_once=at_once, now_ms=self._now_ms())
        except Unavailable as error:
            raise self._put_off_or_over(error, job) from error
        if job.state is not JobState.RUNNING:
            return Done()
        await self._ask_for(job, range(1, min(job.first_parts, at_once)))
        log.info("job_planned", parts=job.parts, bytes=plan.bytes_in)
        return Planned(job, plan)

    async def _parts_at_once(self, job: Job, plan: Plan) -> int:
        """The queue never holds more of a job, so that others' messages are not far behind."""
        if len(plan.partitions) == 1:
            return 1
        return self.settings.quotas.parts_of_one(await self.jobs.usage_of(job.key.owner))

    async def _join(self, job: Job | None) -> Planned | Verdict:
        """Go on with a job that was planned before: its planner may have died before it asked for the parts."""
        now_ms = self._now_ms()
        if job is None or job.outcome is not None:
            return Done()
        if job.state is JobState.ACCEPTED:
            return Later((job.lease.until_ms - now_ms) / 1000)
        plan = await self.files.plan(job.key)
        if plan is None:
            problem = self._put_off_or_over(Unavailable("The plan of a running job can't be read."), job)
            if isinstance(problem, Unavailable):
                raise problem
            return await self._end(job, problem)
        missing = missing_parts(job, await self.parts.all_of(job.key), now_ms=now_ms)
        await self._ask_for(job, [part for part in missing if part])
        return Planned(job, parse_plan(plan))

    async def _ask_for(self, job: Job, parts: Sequence[int]) -> None:
        traceparent = current_trace().traceparent
        await self.queue.send_all([WorkMessage(job.key, part, traceparent) for part in parts])

    def _put_off_or_over(self, error: Unavailable, job: Job) -> Problem:
        limit = self.settings.job_deadline_seconds
        return put_off_or_over(error, job, now_ms=self._now_ms(), deadline_seconds=limit)

    async def _end(self, job: Job, problem: Problem) -> Verdict:
        manifest = manifest_on(problem, job, attempts=job.lease.attempts, finished_at_ms=self._now_ms())
        await self.outcomes.commit(job.key, manifest)
        return verdict_on(problem)

    def _now_ms(self) -> int:
        return round(self.now() * 1000)
