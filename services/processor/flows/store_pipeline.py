"""A user keeps a pipeline under a name, or changes the one that has it."""

from dataclasses import dataclass

from services.processor.domain.preconditions import Precondition
from services.processor.domain.stored_pipelines import StoredPipeline, TooManyPipelines, parse_pipeline_name
from services.processor.domain.submissions import SourceAccess, parse_stored
from services.processor.settings import ProcessorSettings
from services.processor.stores.stored_pipelines import StoredPipelines
from shared import clock
from shared.errors import Unavailable

_TRIES = 5


@dataclass(frozen=True, slots=True)
class StorePipeline:
    pipelines: StoredPipelines
    access: SourceAccess
    settings: ProcessorSettings
    now: clock.Clock

    async def __call__(
        self,
        owner: str,
        raw_name: str,
        raw_data_source: object | None,
        raw_config: dict[str, object],
        precondition: Precondition,
    ) -> tuple[StoredPipeline, bool]:
        """What is stored now, and whether it is new. Storing what is stored already changes nothing.

        The limit is looked at before the write: who stores several at the same moment may end with as many more.

        Raises:
            ValidationFailed: name, source or config are wrong.
            PreconditionFailed: what has the name is not as the client wants it. TooManyPipelines.
            Unavailable: DynamoDB does not answer (it may be stored), or others kept changing the same.
        """
        name = parse_pipeline_name(raw_name, "name")
        request = parse_stored(raw_data_source, raw_config, self.access.rules_for(owner))
        for _ in range(_TRIES):
            standing = await self.pipelines.get(owner, name)
            if standing and standing.request.text == request.text and not precondition.absent:
                # Also where If-Match names an older one: it is a repetition whose answer was lost (RFC 9110 §13.1.1).
                return standing, False
            precondition.check(standing.etag if standing else None)
            most = self.settings.max_pipelines
            if standing is None and await self.pipelines.has_at_least(most, owner):
                raise TooManyPipelines(most)
            new = StoredPipeline(owner, name, request, round(self.now() * 1000))
            if await self.pipelines.save(new, instead_of=standing):
                return new, standing is None
        raise Unavailable("Other requests are changing this pipeline. Ask again.")
