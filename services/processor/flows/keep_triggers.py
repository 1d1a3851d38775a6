"""A processor looks after the pipelines that run by themselves."""

from contextlib import suppress
from dataclasses import dataclass

from services.processor.flows.arm_pipeline import ArmPipeline, Disarmed
from services.processor.flows.keep_schedule import KeepSchedule
from services.processor.stores.stored_pipelines import StoredPipelines
from shared import clock

_MOST = 100


@dataclass(frozen=True, slots=True)
class KeepTriggers:
    pipelines: StoredPipelines
    arm_pipeline: ArmPipeline
    keep_schedule: KeepSchedule
    now: clock.Clock

    async def __call__(self) -> int:
        """Renew the contexts that are due, and see that their schedules are as they say; how many were looked after.

        Any number of instances may do it at once.

        Raises:
            RevocationUnknown, Unavailable: what was not done is due at the next time.
        """
        due = await self.pipelines.due(now_ms=round(self.now() * 1000), limit=_MOST)
        for owner, name in due:
            pipeline = await self.pipelines.get(owner, name)
            if pipeline is None or not pipeline.is_armed:  # the index lags behind
                continue
            had_schedule = pipeline.schedule is not None
            with suppress(Disarmed):
                await self.arm_pipeline.renew(pipeline)
            if had_schedule:
                await self.keep_schedule.at_once(owner, name)
        return len(due)
