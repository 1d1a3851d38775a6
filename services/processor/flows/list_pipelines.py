"""Which pipelines have I stored?"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.processor.domain.stored_pipelines import PIPELINE_NAME, ListedPipeline
from services.processor.stores.stored_pipelines import StoredPipelines
from shared.cursors import cursor_of, parse_cursor


@dataclass(frozen=True, slots=True)
class ListPipelines:
    pipelines: StoredPipelines

    async def __call__(
        self, owner: str, *, limit: int, raw_cursor: str | None
    ) -> tuple[Sequence[ListedPipeline], str | None]:
        """Up to `limit`, by name, and the cursor to go on with, None at the end. A page of large ones is shorter.

        Raises:
            ValidationFailed: the cursor is none of ours.
            Unavailable: DynamoDB does not answer.
        """
        after = parse_cursor(raw_cursor, PIPELINE_NAME) if raw_cursor is not None else None
        page, after = await self.pipelines.page_of(owner, after=after, limit=limit)
        return page, cursor_of(after) if after else None
