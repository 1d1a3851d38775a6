"""A user keeps a pipeline no longer."""

from dataclasses import dataclass

from services.processor.domain.preconditions import Precondition
from services.processor.domain.stored_pipelines import PipelineNotFound, parse_pipeline_name
from services.processor.flows.keep_schedule import KeepSchedule
from services.processor.stores.stored_pipelines import StoredPipelines
from shared.errors import Unavailable

_TRIES = 5


@dataclass(frozen=True, slots=True)
class DeletePipeline:
    pipelines: StoredPipelines
    keep_schedule: KeepSchedule | None

    async def __call__(self, owner: str, raw_name: str, precondition: Precondition) -> None:
        """It is gone. Its jobs stay: each has its own copy of what it does.

        Raises:
            ValidationFailed: that is no name. PipelineNotFound: the owner has none of it.
            PreconditionFailed: it is not as the client wants it.
            Unavailable: DynamoDB does not answer (it may be gone), or others kept changing it.
        """
        name = parse_pipeline_name(raw_name, "name")
        for _ in range(_TRIES):
            standing = await self.pipelines.get(owner, name)
            if standing is None:
                raise PipelineNotFound
            precondition.check(standing.etag)
            if await self.pipelines.delete(standing):
                if self.keep_schedule:
                    await self.keep_schedule.at_once(standing)
                return
        raise Unavailable("Other requests are changing this pipeline. Ask again.")
