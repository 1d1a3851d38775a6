"""Which jobs have I?"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.processor.domain.job_names import LISTING_KEY
from services.processor.domain.jobs import ListedJob
from services.processor.domain.outcomes import JobState
from services.processor.stores.jobs import Jobs
from shared.cursors import cursor_of, parse_cursor

_MOST_LOOKS = 10
_LEAST_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class ListJobs:
    jobs: Jobs

    async def __call__(
        self, owner: str, *, state: JobState | None, limit: int, raw_cursor: str | None
    ) -> tuple[Sequence[ListedJob], str | None]:
        """Up to `limit` jobs, newest first, and the cursor to go on with, None at the end.

        A page may hold fewer, none even, while there is a cursor: where few jobs have the state that was asked for.

        Raises:
            ValidationFailed: the cursor is none of ours.
            Unavailable: DynamoDB does not answer.
        """
        after = parse_cursor(raw_cursor, LISTING_KEY) if raw_cursor is not None else None
        found: list[ListedJob] = []
        for _ in range(_MOST_LOOKS):
            missing = limit - len(found)
            look = max(missing, _LEAST_LOOKED_AT) if state else missing
            page, after = await self.jobs.page_of(owner, after=after, limit=look, state=state)
            found += page
            if len(found) > limit:
                found = found[:limit]
                after = found[-1].listing_key
            if after is None or len(found) == limit:
                break
        return found, cursor_of(after) if after else None
