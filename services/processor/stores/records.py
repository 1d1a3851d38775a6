"""The record engine, in threads: the event loop goes on while records are worked on."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from services.processor.domain.jobs import Job
from services.processor.domain.outcomes import Counts
from services.processor.domain.pipeline import Pipeline, parse_config
from services.processor.domain.plans import Plan
from services.processor.engine.checking import check
from services.processor.engine.files import Origin
from services.processor.engine.inputs import InputPlan, ObjectSample, plan_inputs, plan_joins
from services.processor.engine.previewing import Preview, preview
from services.processor.engine.running import BadRecords, JoinedFiles, run
from services.processor.engine.session import EngineLimits, Stop
from services.processor.engine.splitting import SplitFile
from services.processor.engine.writing import OutputFile
from services.processor.stores.source_finder import Found
from services.processor.stores.work_folder import PartFiles
from shared import clock
from shared.errors import RateLimited

Result = TypeVar("Result")
FirstRowGroups: TypeAlias = Callable[[Found], Awaitable[Mapping[str, Path]]]
"""By the names of Parquet objects that are larger than their beginnings: files of their first row groups."""


class Records:
    """`limits.threads` are shared by the runs of a process: a lone one gets all. The bytes are the same either way.

    Previews and dry runs have a thread each and wait for one another: so many at once, so many who wait.
    """

    def __init__(
        self, limits: EngineLimits, *, preview_seconds: float, previews_at_once: int, previews_waiting: int
    ) -> None:
        self._limits = limits
        self._preview_limits = replace(limits, threads=1, deadline_seconds=preview_seconds)
        self._previewing = asyncio.Semaphore(previews_at_once)
        self._previews_most = previews_at_once + previews_waiting
        self._previews = 0
        self._running = 0

    async def plan_inputs(
        self, pipeline: Pipeline, found: Found, joined: Sequence[Found]
    ) -> tuple[InputPlan, tuple[InputPlan, ...]]:
        """As what the objects are read, and what those that the joins read; the pipeline fits them.

        Raises:
            PipelineError: it does not.
            RecordError: the beginning of an object is not what it should be.
        """
        return await asyncio.to_thread(_planned, pipeline, found, joined)

    async def try_inputs(
        self, pipeline: Pipeline, found: Found, joined: Sequence[Found]
    ) -> tuple[InputPlan, tuple[InputPlan, ...]]:
        """As `plan_inputs`, in turn with the previews.

        Raises:
            RateLimited: too many wait already.
        """

        async def at_once() -> Callable[[], tuple[InputPlan, tuple[InputPlan, ...]]]:
            return partial(_planned, pipeline, found, joined)

        return await self._in_turn(at_once)

    async def preview(
        self,
        pipeline: Pipeline,
        found: Found,
        joined: Sequence[Found],
        first_row_groups: FirstRowGroups,
        *,
        records: int,
        processed_at: str,
    ) -> Preview:
        """The first records of the objects that were looked into, before and after.

        Raises:
            PipelineError, RecordError, DeadlineExceeded, MemoryExceeded: as a job would fail.
            RateLimited: too many wait already.
            SourceChanged, SourceMissing, Unavailable: row groups can't be fetched.
        """

        async def fetched() -> Callable[[], Preview]:
            ours, *theirs = [samples_of(one, await first_row_groups(one)) for one in (found, *joined)]
            samples = [sample for sample in ours if sample.content] or ours[:1]
            limits = self._preview_limits
            return partial(preview, pipeline, samples, theirs, records, processed_at=processed_at, limits=limits)

        return await self._in_turn(fetched)

    async def _in_turn(self, begun: Callable[[], Awaitable[Callable[[], Result]]]) -> Result:
        if self._previews >= self._previews_most:
            raise RateLimited("Too many previews and dry runs at once. Try again.", retry_after_seconds=1)
        self._previews += 1
        try:
            await self._previewing.acquire()
            try:
                work = await begun()
            except BaseException:
                self._previewing.release()
                raise
            running = asyncio.ensure_future(asyncio.to_thread(work))
            running.add_done_callback(self._has_ended)
            return await asyncio.shield(running)
        finally:
            self._previews -= 1

    def _has_ended(self, running: asyncio.Future[Result]) -> None:
        """The place is free when the thread is, which may be after its caller was told that the time is over."""
        self._previewing.release()
        if not running.cancelled():
            running.exception()

    async def run(
        self,
        job: Job,
        plan: Plan,
        *,
        part: int,
        fetched: PartFiles,
        output: Path,
        rejected: Path,
    ) -> tuple[Counts, Sequence[SplitFile]]:
        """Write what becomes of these files in the part's stage; several files beside `output`, if it is split.

        And what it left out, if there is any and the job keeps it.

        Raises:
            RecordError, DeadlineExceeded, MemoryExceeded: as they say.
        """
        pipeline = parse_config(job.request.config)
        triples = zip(pipeline.joins, fetched.joined, plan.joined, strict=True)
        theirs = [JoinedFiles(join.place, some, one.schema) for join, some, one in triples]
        stamp = clock.rfc3339(job.submitted_at_ms / 1000)
        stage = plan.stage_of(part)
        slices = plan.slices if stage.kind == "second" else plan.partitions[part]
        origins = [Origin(plan.sources[one.place].name, one.counted_from, one.before) for one in slices]
        limits = replace(self._limits, threads=max(1, self._limits.threads // (self._running + 1)))

        def work(stop: Stop) -> tuple[Counts, Sequence[SplitFile]]:
            made = run(
                pipeline,
                plan.schema,
                fetched.files,
                OutputFile(output, plan.output, plan.splits(part)),
                processed_at=stamp,
                limits=limits,
                joined=theirs,
                bad=BadRecords.of(pipeline, rejected),
                stage=stage,
                origins=origins,
                stop=stop,
            )
            written = [file.path for file in made.splits] if plan.splits(part) else [output]
            size_out = sum(path.stat().st_size for path in written)
            counts = Counts(made.records_in, made.records_out, made.rejected, fetched.bytes_in, size_out)
            return counts, made.splits

        self._running += 1
        try:
            return await in_thread(work)
        finally:
            self._running -= 1


def _planned(pipeline: Pipeline, found: Found, joined: Sequence[Found]) -> tuple[InputPlan, tuple[InputPlan, ...]]:
    inputs, theirs = plan_inputs(pipeline, samples_of(found)), plan_joins(pipeline, list(map(samples_of, joined)))
    check(pipeline.knowing([one.schema for one in theirs]), inputs.schema)
    return inputs, theirs


def samples_of(found: Found, row_groups: Mapping[str, Path] = MappingProxyType({})) -> list[ObjectSample]:
    """`row_groups`: by their names, files of the first ones of large Parquet objects."""
    looked_into = zip(found.sources, found.beginnings, found.endings, strict=True)
    return [
        ObjectSample(
            source.name,
            beginning or b"",
            beginning is not None and len(beginning) == source.size,
            ending,
            row_groups.get(source.name),
        )
        for source, beginning, ending in looked_into
    ]


async def in_thread(work: Callable[[Stop], Result]) -> Result:
    """Runs it in a thread. Cancelled, it stops the work and returns only when the thread is free."""
    stop = Stop()
    running = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.cancel()
        await asyncio.gather(running, return_exceptions=True)
        raise
