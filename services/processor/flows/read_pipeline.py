"""What does this stored pipeline do?"""

from dataclasses import dataclass

from services.processor.domain.stored_pipelines import PipelineNotFound, StoredPipeline, parse_pipeline_name
from services.processor.stores.stored_pipelines import StoredPipelines


@dataclass(frozen=True, slots=True)
class ReadPipeline:
    pipelines: StoredPipelines

    async def __call__(self, owner: str, raw_name: str) -> StoredPipeline:
        """As it stands.

        Raises:
            ValidationFailed: that is no name. PipelineNotFound: the owner has none of it.
            Unavailable: DynamoDB does not answer.
        """
        found = await self.pipelines.get(owner, parse_pipeline_name(raw_name, "name"))
        if found is None:
            raise PipelineNotFound
        return found
