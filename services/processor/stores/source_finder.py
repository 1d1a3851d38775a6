"""What a request's sources are at this moment: objects, pinned, and the first bytes of one of them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from services.processor.domain.formats import is_parquet
from services.processor.domain.input_errors import NoSources, SourceChanged, TooManySources, of_join
from services.processor.domain.pinned_sources import PinnedSample, PinnedSource, spread
from services.processor.domain.pipeline import Pipeline
from services.processor.domain.sources import (
    ObjectSource,
    PrefixSource,
    SampleSource,
    Source,
    SourceRules,
    parse_source,
)
from services.processor.stores.inputs import Inputs

_HEADS_AT_ONCE = 16
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Found:
    """`beginnings` are the first bytes of the sources; None of those that were not looked into.

    `endings`: the last bytes of a Parquet that is not all in its beginning, else none.
    """

    sources: tuple[PinnedSource, ...]
    beginnings: tuple[bytes | None, ...]
    endings: tuple[bytes, ...]

    def ending_of(self, place: int) -> bytes:
        """The last bytes of a Parquet, the footer among them; none if it was not looked into."""
        source, beginning = self.sources[place], self.beginnings[place] or b""
        return self.endings[place] or (beginning if len(beginning) == source.size else b"")


@dataclass(frozen=True, slots=True)
class SourceFinder:
    inputs: Inputs
    sample_bytes: int
    most_objects: int
    most_keys: int
    most_samples: int

    async def find(self, sources: Sequence[Source]) -> Found:
        """All of them, in the order of the request; within a prefix in S3's order. An object counts once.

        Raises:
            NoSources, TooManySources, SourceMissing, SourceChanged: as they say.
            Unavailable: S3 does not answer.
        """
        if len(sources) == 1 and isinstance(sources[0], ObjectSource):
            pinned, beginning = await self.inputs.begin(sources[0].bucket, sources[0].key, most_bytes=self.sample_bytes)
            return await self._with_endings((pinned,), (beginning,))
        found = tuple(dict.fromkeys(await self._all_of(sources)))
        if not found:
            raise NoSources(", ".join(_pattern(source) for source in sources))
        sampled = spread([place for place, source in enumerate(found) if source.size], self.most_samples)
        beginnings = await _all([self._beginning(found[place]) for place in sampled])
        known = dict(zip(sampled, beginnings, strict=True))
        return await self._with_endings(found, tuple(known.get(place) for place in range(len(found))))

    async def _with_endings(self, found: tuple[PinnedSource, ...], beginnings: tuple[bytes | None, ...]) -> Found:
        endings = await _all([self._ending(*pair) for pair in zip(found, beginnings, strict=True)])
        return Found(found, beginnings, tuple(endings))

    async def find_joined(self, pipeline: Pipeline, rules: SourceRules) -> list[Found]:
        """What the joins of a pipeline read, each in its turn. Raises as `find` does, and names the join."""
        found = []
        for join in pipeline.joins:
            with of_join(join.place):
                found.append(await self.find(parse_source(join.raw_source, rules, join.place.at("source"))))
        return found

    async def _all_of(self, sources: Sequence[Source]) -> list[PinnedSource]:
        gate = asyncio.Semaphore(_HEADS_AT_ONCE)
        limit = _Limit(self.most_objects, self.most_keys)

        async def pin(source: Source) -> list[PinnedSource]:
            async with gate:
                return [pinned async for pinned in self._pinned(source, limit)]

        lists = await _all([pin(source) for source in sources])
        return [pinned for pinned_of_one in lists for pinned in pinned_of_one]

    async def _pinned(self, source: Source, limit: "_Limit") -> AsyncIterator[PinnedSource]:
        if isinstance(source, SampleSource):
            yield PinnedSample(source.name, len(source.content()))
        elif isinstance(source, PrefixSource):
            async for found in self.inputs.below(source.bucket, source.prefix):
                limit.see()
                if source.matches(found.key):
                    limit.take(found)
                    yield found
        else:
            found = await self.inputs.pin(source.bucket, source.key)
            limit.take(found)
            yield found

    async def _beginning(self, source: PinnedSource) -> bytes:
        if isinstance(source, PinnedSample):
            return SampleSource(source.name).content()
        now_there, beginning = await self.inputs.begin(source.bucket, source.key, most_bytes=self.sample_bytes)
        if now_there != source:
            raise SourceChanged(source.name)
        return beginning

    async def _ending(self, source: PinnedSource, beginning: bytes | None) -> bytes:
        if isinstance(source, PinnedSample) or not is_parquet(beginning or b"") or len(beginning or b"") == source.size:
            return b""
        return await self.inputs.footer(source)


class _Limit:
    """What the listings of one request share: how many objects they found, and how many keys they looked at."""

    def __init__(self, most_objects: int, most_keys: int) -> None:
        self._most_objects = most_objects
        self._most_keys = most_keys
        self._found: set[PinnedSource] = set()
        self._seen = 0

    def see(self) -> None:
        self._seen += 1
        if self._seen > self._most_keys:
            raise TooManySources(f"more than {self._most_keys} keys lie below these prefixes")

    def take(self, source: PinnedSource) -> None:
        self._found.add(source)
        if len(self._found) > self._most_objects:
            raise TooManySources(f"more than {self._most_objects} objects match")


async def _all(calls: Sequence[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """The answers in order. The first call that fails ends the others, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _pattern(source: Source) -> str:
    return f"s3://{source.bucket}/{source.glob or source.prefix}" if isinstance(source, PrefixSource) else ""
