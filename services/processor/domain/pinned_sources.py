"""What a job reads: objects, each in the version that it had when the job was planned, whole or in slices."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.processor.domain.formats import Encoding


@dataclass(frozen=True, slots=True)
class PinnedObject:
    """One version of an S3 object. Reading it later gives these bytes or fails.

    A part that a worker stored needs no ETag (it is empty): its key holds the hash of its bytes.
    """

    bucket: str
    key: str
    etag: str
    size: int

    @property
    def name(self) -> str:
        """How an error about its records names it."""
        return f"s3://{self.bucket}/{self.key}"

    def to_json(self) -> dict[str, object]:
        return {"bucket": self.bucket, "key": self.key, "etag": self.etag, "size": self.size}


@dataclass(frozen=True, slots=True)
class PinnedSample:
    """The made-up records of the data source "test"; `name` is what an object with them would be called."""

    name: str
    size: int

    def to_json(self) -> dict[str, object]:
        return {"sample": self.name, "size": self.size}


PinnedSource = PinnedObject | PinnedSample


@dataclass(frozen=True, slots=True)
class Slice:
    """Whole records of a source, which is named by its place in the plan: its bytes from `start` to before `end`.

    `head`: so many of its first bytes, a header, are read before them. `tail`: so many of its last, a footer, tell what
    they are; then it is known how many records come `before`.
    """

    place: int
    start: int
    end: int
    head: int = 0
    tail: int = 0
    before: int = 0

    @property
    def size(self) -> int:
        """In bytes, without head and tail."""
        return self.end - self.start

    @property
    def counted_from(self) -> int:
        """The byte behind which its records are counted, in what is told of them."""
        return 0 if self.tail else self.start

    def to_json(self) -> list[int]:
        """What it is made of again; no more than there is to say."""
        return [self.place, self.start, self.end, self.head, *([self.tail, self.before] if self.tail else [])]


@dataclass(frozen=True, slots=True)
class PartInput:
    """What a part reads of one source."""

    source: PinnedSource
    encoding: Encoding
    slice: Slice


def whole(sources: Sequence[PinnedSource]) -> tuple[Slice, ...]:
    return tuple(Slice(place, 0, source.size) for place, source in enumerate(sources))


def one_each(slices: Sequence[Slice]) -> tuple[tuple[Slice, ...], ...]:
    """Each slice is a partition."""
    return tuple((one,) for one in slices)


def packed(slices: Sequence[Slice], most_bytes: int) -> tuple[tuple[Slice, ...], ...]:
    """In order, as many in a partition as have at most so many bytes together; never two of one source."""
    partitions: list[list[Slice]] = []
    size = 0
    for one in slices:
        size += one.size
        if not partitions or size > most_bytes or partitions[-1][-1].place == one.place:
            partitions.append([])
            size = one.size
        partitions[-1].append(one)
    return tuple(map(tuple, partitions))


def spread(places: Sequence[int], most: int) -> tuple[int, ...]:
    """At most so many of them, the first one and others evenly."""
    if len(places) <= most:
        return tuple(places)
    return tuple(places[number * len(places) // most] for number in range(most))
