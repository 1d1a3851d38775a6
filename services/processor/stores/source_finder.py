"""What a request's sources are at this moment: objects, pinned, and the first bytes of one of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from services.processor.domain.input_errors import NoSources, SourceChanged, TooManySources
from services.processor.domain.plans import PinnedSample, PinnedSource, spread
from services.processor.domain.sources import ObjectSource, PrefixSource, SampleSource, Source
from services.processor.stores.inputs import Inputs

_HEADS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Found:
    """`beginnings` are the first bytes of the sources; None of those that were not looked into."""

    sources: tuple[PinnedSource, ...]
    beginnings: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class SourceFinder:
    inputs: Inputs
    sample_bytes: int
    most_objects: int
    most_samples: int

    async def find(self, sources: Sequence[Source]) -> Found:
        """All of them, in the order of the request; within a prefix in S3's order. An object counts once.

        Raises:
            NoSources, TooManySources, SourceMissing, SourceChanged: as they say.
            Unavailable: S3 does not answer.
        """
        if len(sources) == 1 and isinstance(sources[0], ObjectSource):
            pinned, beginning = await self.inputs.begin(sources[0].bucket, sources[0].key, most_bytes=self.sample_bytes)
            return Found((pinned,), (beginning,))
        found = tuple(dict.fromkeys(await self._all_of(sources)))
        if not found:
            raise NoSources(", ".join(_pattern(source) for source in sources))
        sampled = spread([place for place, source in enumerate(found) if source.size], self.most_samples)
        beginnings = await asyncio.gather(*(self._beginning(found[place]) for place in sampled))
        known = dict(zip(sampled, beginnings, strict=True))
        return Found(found, tuple(known.get(place) for place in range(len(found))))

    async def _all_of(self, sources: Sequence[Source]) -> list[PinnedSource]:
        gate = asyncio.Semaphore(_HEADS_AT_ONCE)

        async def pin(source: Source) -> list[PinnedSource]:
            async with gate:
                return [pinned async for pinned in self._pinned(source)]

        lists = await asyncio.gather(*(pin(source) for source in sources))
        found = [pinned for pinned_of_one in lists for pinned in pinned_of_one]
        if len(found) > self.most_objects:
            raise TooManySources(self.most_objects)
        return found

    async def _pinned(self, source: Source) -> AsyncIterator[PinnedSource]:
        if isinstance(source, SampleSource):
            yield PinnedSample(source.name, len(source.content()))
        elif isinstance(source, PrefixSource):
            count = 0
            async for found in self.inputs.below(source.bucket, source.prefix):
                count += source.matches(found.key)
                if count > self.most_objects:
                    raise TooManySources(self.most_objects)
                if source.matches(found.key):
                    yield found
        else:
            yield await self.inputs.pin(source.bucket, source.key)

    async def _beginning(self, source: PinnedSource) -> bytes:
        if isinstance(source, PinnedSample):
            return SampleSource(source.name).content()
        now_there, beginning = await self.inputs.begin(source.bucket, source.key, most_bytes=self.sample_bytes)
        if now_there != source:
            raise SourceChanged(source.name)
        return beginning


def _pattern(source: Source) -> str:
    return f"s3://{source.bucket}/{source.glob or source.prefix}" if isinstance(source, PrefixSource) else ""
