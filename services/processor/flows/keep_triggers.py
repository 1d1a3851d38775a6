"""A processor looks after the pipelines that run by themselves."""

from contextlib import suppress
from dataclasses import dataclass

from services.processor.domain.stored_pipelines import StoredPipeline
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
            with suppress(Disarmed):
                await self._look_after(pipeline)
        return len(due)

    async def _look_after(self, pipeline: StoredPipeline) -> None:
        try:
            requester = await self.arm_pipeline.requester_of(pipeline)
        except Disarmed:
            await self.keep_schedule.at_once(pipeline)
            raise
        is_kept = await self.keep_schedule.at_once(pipeline)
        await self.arm_pipeline.renew(pipeline, requester, look_soon=not is_kept)
