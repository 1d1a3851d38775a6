"""Large objects are cut into pieces, so that several workers may read one and a worker never holds all of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.processor.domain.cuts import (
    CsvCuts,
    can_be_cut,
    even_cuts,
    header_bytes,
    slices_between,
    slices_of_parquet,
)
from services.processor.domain.formats import CSV, PARQUET, Encoding
from services.processor.domain.pinned_sources import PinnedObject, PinnedSource, Slice
from services.processor.domain.pipeline_errors import RecordError
from services.processor.stores.inputs import Inputs
from services.processor.stores.source_finder import Found

_WINDOW_BYTES = 64 * 1024
_READS_AT_ONCE = 16
_REMEDY = "write it with smaller row groups, one behind the other, or have MAYFLY_ENGINE_MAX_PLAIN_MB raised"


@dataclass(frozen=True, slots=True)
class Cutting:
    inputs: Inputs
    piece_bytes: int
    most_bytes: int
    """What a piece of a Parquet may have, be it a single row group."""
    only_about: bool = False
    """Cut at the even places, without looking where a record ends: to tell how many pieces there will be."""

    async def slices(self, found: Found, encodings: Sequence[Encoding]) -> tuple[Slice, ...]:
        """All sources in order, the large ones in pieces.

        Of NDJSON a few bytes are read at each cut; a CSV is read through, for a line end in it may be within quotes;
        of Parquet the footer is read.

        Raises:
            RecordError: a Parquet is none, or can't be cut into pieces that are small enough.
            SourceChanged, SourceMissing: the pinned bytes are not there any more.
            Unavailable: S3 does not answer.
        """
        slices: list[Slice] = []
        for place, (source, encoding) in enumerate(zip(found.sources, encodings, strict=True)):
            if encoding.format is PARQUET and isinstance(source, PinnedObject) and source.size > self.piece_bytes:
                slices += await self._slices_of_parquet(place, source, found.ending_of(place))
            else:
                slices += await self._slices_of_text(place, source, encoding, found.beginnings[place])
        return tuple(slices)

    async def _slices_of_parquet(self, place: int, source: PinnedObject, ending: bytes) -> tuple[Slice, ...]:
        if self.only_about and not ending:
            return slices_between(place, source.size, even_cuts(source.size, self.piece_bytes))
        ending = ending or await self.inputs.footer(source)
        slices = await asyncio.to_thread(slices_of_parquet, place, source, ending, self.piece_bytes)
        largest = max(one.size for one in slices)
        if largest > self.most_bytes:
            message = f"a row group of it takes {largest >> 20:,} MiB, and a part may have {self.most_bytes >> 20:,}"
            raise RecordError(message, object_name=source.name, remedy=_REMEDY)
        return slices

    async def _slices_of_text(
        self, place: int, source: PinnedSource, encoding: Encoding, beginning: bytes | None
    ) -> tuple[Slice, ...]:
        wanted = even_cuts(source.size, self.piece_bytes) if can_be_cut(encoding) else ()
        if not wanted or not isinstance(source, PinnedObject):
            return slices_between(place, source.size, ())
        if self.only_about:
            return slices_between(place, source.size, wanted)
        if encoding.format is not CSV:
            return slices_between(place, source.size, await self._line_starts(source, wanted))
        if beginning is None:
            beginning = await self.inputs.read(source, 0, min(source.size, self.piece_bytes))
        head = header_bytes(beginning)
        return slices_between(place, source.size, await self._csv_cuts(source, wanted) if head else (), head=head)

    async def _line_starts(self, source: PinnedObject, wanted: Sequence[int]) -> list[int]:
        gate = asyncio.Semaphore(_READS_AT_ONCE)

        async def one(position: int) -> int:
            async with gate:
                return await self._line_start(source, position)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(position)) for position in wanted]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _line_start(self, source: PinnedObject, position: int) -> int:
        """The first place from `position` on where a line begins; the object's end when there is none."""
        start = position - 1
        while start < source.size:
            window = await self.inputs.read(source, start, min(start + _WINDOW_BYTES, source.size))
            if (end := window.find(b"\n")) >= 0:
                return start + end + 1
            start += len(window)
        return source.size

    async def _csv_cuts(self, source: PinnedObject, wanted: Sequence[int]) -> list[int]:
        cuts = CsvCuts(wanted)
        async for chunk in self.inputs.chunks(source):
            cuts.feed(chunk)
        return cuts.cuts
