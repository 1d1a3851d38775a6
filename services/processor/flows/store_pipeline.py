"""A user keeps a pipeline under a name, or changes the one that has it."""

from dataclasses import dataclass, replace

from services.processor.domain.contexts import Requester
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.preconditions import Precondition
from services.processor.domain.stored_pipelines import StoredPipeline, TooManyPipelines, parse_pipeline_name
from services.processor.domain.submissions import SourceAccess, parse_stored
from services.processor.domain.triggers import TriggerRules
from services.processor.flows.arm_pipeline import ArmPipeline
from services.processor.flows.keep_schedule import KeepSchedule
from services.processor.settings import ProcessorSettings
from services.processor.stores.stored_pipelines import StoredPipelines
from shared import clock
from shared.errors import Unavailable
from shared.tokens.claims import Caller

_TRIES = 5


@dataclass(frozen=True, slots=True)
class StorePipeline:
    pipelines: StoredPipelines
    arm_pipeline: ArmPipeline
    keep_schedule: KeepSchedule | None
    access: SourceAccess
    settings: ProcessorSettings
    now: clock.Clock

    async def __call__(
        self,
        caller: Caller,
        raw_name: str,
        raw_data_source: object | None,
        raw_config: dict[str, object],
        raw_triggers: list[object],
        *,
        precondition: Precondition,
    ) -> tuple[StoredPipeline, bool]:
        """What is stored now, and whether it is new. Storing what is stored already changes nothing but who arms it.

        The limit is looked at before the write: who stores several at the same moment may end with as many more.

        Raises:
            ValidationFailed: name, source, config or triggers are wrong.
            PreconditionFailed: what has the name is not as the client wants it. TooManyPipelines.
            Unavailable: DynamoDB does not answer (it may be stored), or others kept changing the same.
        """
        wanted = self._parse(caller.user_id, raw_name, raw_data_source, raw_config, raw_triggers)
        signed = self.arm_pipeline.sign(wanted, Requester.of(caller.claims))
        for _ in range(_TRIES):
            standing = await self.pipelines.get(wanted.owner, wanted.name)
            if standing and standing.says(wanted.request, wanted.triggers) and not precondition.absent:
                # Also where If-Match names an older one: it is a repetition whose answer was lost (RFC 9110 §13.1.1).
                return await self._arm(standing, signed), False
            precondition.check(standing.etag if standing else None)
            most = self.settings.max_pipelines
            if standing is None and await self.pipelines.has_at_least(most, wanted.owner):
                raise TooManyPipelines(most)
            new = replace(wanted, updated_at_ms=round(self.now() * 1000), context=signed)
            if await self.pipelines.save(new, instead_of=standing, look_at_ms=self.arm_pipeline.first_look_ms):
                await self._keep_schedule(new, *([standing] if standing else []))
                return new, standing is None
        raise Unavailable("Other requests are changing this pipeline. Ask again.")

    def _parse(
        self,
        owner: str,
        raw_name: str,
        raw_data_source: object | None,
        raw_config: dict[str, object],
        raw_triggers: list[object],
    ) -> StoredPipeline:
        if raw_triggers and self.keep_schedule is None:
            detail = "nothing runs by itself here: the operator has named no queue (MAYFLY_TRIGGER_QUEUE_NAME)"
            raise PipelineError(Place(("triggers",)), detail)
        name = parse_pipeline_name(raw_name, "name")
        request = parse_stored(raw_data_source, raw_config, self.access.rules_for(owner))
        rules = TriggerRules(self.access.bucket, self.access.inputs_of(owner))
        triggers = rules.parse(raw_triggers, has_source=raw_data_source is not None)
        return StoredPipeline(owner, name, request, 0, triggers)

    async def _arm(self, standing: StoredPipeline, signed: str) -> StoredPipeline:
        if not signed:
            return standing
        await self.pipelines.arm(standing, signed, look_at_ms=self.arm_pipeline.first_look_ms)
        armed = replace(standing, context=signed)
        await self._keep_schedule(armed)
        return armed

    async def _keep_schedule(self, *pipelines: StoredPipeline) -> None:
        if self.keep_schedule:
            await self.keep_schedule.at_once(*pipelines)
