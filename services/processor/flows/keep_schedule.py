"""EventBridge's rule is as the pipeline says."""

from dataclasses import dataclass

from services.processor.domain.stored_pipelines import StoredPipeline
from services.processor.stores.schedule_rules import ScheduleRules
from services.processor.stores.stored_pipelines import StoredPipelines
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger

_TRIES = 5
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeepSchedule:
    pipelines: StoredPipelines
    rules: ScheduleRules

    async def __call__(self, owner: str, name: str) -> None:
        """Make it so. Others may change both meanwhile: whoever is last to look finds them alike.

        Raises:
            Unavailable: something does not answer, EventBridge refuses, or others kept changing the pipeline. The
                rule is made so at the next look after the pipeline, or removed when it runs it next.
        """
        said = await self._said(owner, name)
        for _ in range(_TRIES):
            if said is None:
                await self.rules.remove(owner, name)
            else:
                await self.rules.put(owner, name, said)
            before, said = said, await self._said(owner, name)
            if said == before:
                return
        raise Unavailable("Other requests are changing this pipeline's schedule.")

    async def at_once(self, *pipelines: StoredPipeline) -> bool:
        """Make it so now, if one of these, a pipeline as it is or was, has a schedule. False: it is made so later."""
        if not any(pipeline.schedule for pipeline in pipelines):
            return True
        owner, name = pipelines[0].owner, pipelines[0].name
        try:
            await self(owner, name)
        except Unavailable as error:
            log.warning("schedule_put_off", caller=owner, pipeline=name, detail=error.detail)
            return False
        return True

    async def _said(self, owner: str, name: str) -> str | None:
        pipeline = await self.pipelines.get(owner, name)
        return pipeline.schedule if pipeline else None
