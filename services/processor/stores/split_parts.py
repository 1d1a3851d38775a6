"""The objects of parts whose result is split, and the list of them that each such part leaves behind.

Each method raises `Unavailable` when S3 does not answer.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.processor.domain.fingerprint import fingerprint
from services.processor.domain.jobs import Job
from services.processor.domain.part_results import PartResult, part_key
from services.processor.domain.plans import Plan
from services.processor.domain.splits import Split, check_objects, parse_splits, split_key, splits_text
from services.processor.domain.work_errors import PartListGone
from services.processor.engine.splitting import SplitFile
from services.processor.stores.job_files import MOST_AT_ONCE_BYTES, JobFiles
from services.processor.stores.work_folder import sha256_of

_AT_ONCE = 8
_LARGE_BYTES = MOST_AT_ONCE_BYTES // _AT_ONCE


@dataclass(frozen=True, slots=True)
class SplitParts:
    files: JobFiles

    async def put(self, job: Job, plan: Plan, part: int, made: Sequence[SplitFile]) -> str:
        """Store each file, and behind them all the list of them, whose SHA-256 it gives.

        Several at once, but of large ones only one, so that memory holds not much more than for a part in one piece.
        """
        stored: dict[int, Split] = {}
        waiting, alone = iter(enumerate(made)), asyncio.Lock()

        async def put_some() -> None:
            for number, file in waiting:
                stored[number] = await self._put(job, plan, part, file, alone)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(_AT_ONCE, len(made))):
                    group.create_task(put_some())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        text = splits_text([stored[number] for number in range(len(made))])
        sha256 = fingerprint(text)
        await self.files.put_text(part_key(job, plan, part, sha256), text, sha256=sha256)
        return sha256

    async def lists_of(self, job: Job, plan: Plan, results: Sequence[PartResult]) -> dict[int, tuple[Split, ...]]:
        """For each part of a result that is split, its objects.

        Raises:
            PartListGone: what a part has stored is not there any more.
            PipelineError: they are too many.
        """
        lists: dict[int, tuple[Split, ...]] = {}
        waiting = iter([result for result in results if plan.splits(result.part)])

        async def read_some() -> None:
            for result in waiting:
                lists[result.part] = await self._list_of(part_key(job, plan, result.part, result.sha256))
                check_objects(sum(map(len, lists.values())))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(_AT_ONCE, len(results))):
                    group.create_task(read_some())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return lists

    async def _put(self, job: Job, plan: Plan, part: int, file: SplitFile, alone: asyncio.Lock) -> Split:
        sha256 = await asyncio.to_thread(sha256_of, file.path)
        split = Split(file.values, sha256, file.records, (await asyncio.to_thread(file.path.stat)).st_size)
        object_key, content_type = split_key(job, plan, part, split), plan.output.content_type
        if split.bytes < _LARGE_BYTES:
            await self.files.put_part(object_key, file.path, content_type=content_type, sha256=sha256)
            return split
        async with alone:
            await self.files.put_part(object_key, file.path, content_type=content_type, sha256=sha256)
        return split

    async def _list_of(self, object_key: str) -> tuple[Split, ...]:
        text = await self.files.read(object_key)
        if text is None:
            raise PartListGone(object_key)
        return parse_splits(text)
