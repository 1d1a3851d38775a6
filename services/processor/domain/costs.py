"""What AWS asks for the requests that a job makes, when nothing dies and nobody waits for it.

Counted: each request to S3, DynamoDB and SQS from the acceptance to the end. Not counted: polls of the queue and of the
status, heartbeats, the sweeper, what is stored, what leaves the region, and the machines that workers run on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.processor.domain.cuts import can_be_cut
from services.processor.domain.formats import CSV, PARQUET, Encoding
from services.processor.domain.pinned_sources import PinnedObject, PinnedSource
from services.processor.domain.pipeline import Pipeline
from services.processor.domain.plans import Plan
from services.processor.domain.sources import ObjectSource, PrefixSource, Source

REGION, PRICES_OF = "us-east-1", "2025-06"
USD_PER_MILLION = {
    "s3_reads": 0.40,
    "s3_writes": 5.00,
    "dynamodb_read_units": 0.125,
    "dynamodb_write_units": 0.625,
    "sqs_requests": 0.40,
}
"""List prices of S3 Standard (GET and HEAD; PUT, LIST and the like), DynamoDB on demand and standard SQS."""

_RECORD_BYTES, _PART_RECORD_BYTES = 700, 350
"""About how large a job's record is besides its request, and a part's."""

_WRITE_UNIT_BYTES, _READ_UNIT_BYTES = 1024, 4096
_UNITS_OF_INDEXES = 8
_LISTED_AT_ONCE = 1000
_MESSAGES_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Requests:
    """How often each service is asked. DynamoDB charges not its calls but units: a KB written, four KB read."""

    s3_reads: int = 0
    s3_writes: int = 0
    dynamodb_calls: int = 0
    dynamodb_read_units: int = 0
    dynamodb_write_units: int = 0
    sqs_requests: int = 0

    def __add__(self, other: "Requests") -> "Requests":
        return Requests(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def usd(self) -> float:
        return float(sum(getattr(self, name) * price for name, price in USD_PER_MILLION.items())) / 1e6


class Habits(NamedTuple):
    """In which sizes S3 is read and written, how many objects are looked into, how many parts are asked for at once."""

    range_bytes: int
    put_bytes: int
    chunk_bytes: int
    sample_bytes: int
    sample_objects: int
    parts_at_once: int


def requests_of(
    pipeline: Pipeline, plan: Plan, sources: Sequence[Sequence[Source]], *, request_bytes: int, habits: Habits
) -> Requests:
    """What a job of this plan will ask. `sources`: as the request names them, and then those of each join.

    What comes out of a part is taken to be as large as what it reads and, where the result is split, to be one object.
    """
    pinned = [(plan.sources, plan.encodings), *((joined.sources, joined.encodings) for joined in plan.joined)]
    looked_at = [_to_find(names, *found, habits) for names, found in zip(sources, pinned, strict=True)]
    first, second = pipeline.joins_in(plan.stage_of(0)), pipeline.joins_in(plan.stage_of(plan.parts - 1))
    parts = [_of_part(plan, part, first, habits) for part in range(len(plan.partitions))]
    parts += [_of_part(plan, part, second, habits) for part in range(len(plan.partitions), plan.parts)]
    return sum([*looked_at, *parts, _to_cut(plan, habits)], _of_records(plan, request_bytes, habits))


def _of_records(plan: Plan, request_bytes: int, habits: Habits) -> Requests:
    """Accept, plan, open, end; lease and record each part. Several: read what is open, job, plan, parts.

    A second stage looks at the parts before it begins, too.
    """
    parts, second = plan.parts, plan.second_parts
    size = request_bytes + _RECORD_BYTES
    written = 4 * _ceil(size, _WRITE_UNIT_BYTES) + _UNITS_OF_INDEXES + 2 * parts
    again = parts - 1
    first = min(again - second, habits.parts_at_once - 1)
    seen = [*range(1, parts + 1), *[parts - second] * second] if again else []
    looks = [_ceil(done * _PART_RECORD_BYTES, _READ_UNIT_BYTES) for done in seen]
    return Requests(
        s3_reads=again,  # the plan
        s3_writes=2,  # the plan, the manifest
        dynamodb_calls=4 + 2 * parts + len(looks) + again + (again > 0),
        dynamodb_read_units=sum(looks) + again * _ceil(size, _READ_UNIT_BYTES) + (again > 0),
        dynamodb_write_units=written,
        sqs_requests=3 + _ceil(first, _MESSAGES_AT_ONCE) + (again - first) + 2 * again,
    )


def _to_find(
    named: Sequence[Source], found: Sequence[PinnedSource], encodings: Sequence[Encoding], habits: Habits
) -> Requests:
    objects = [source for source in found if isinstance(source, PinnedObject)]
    footers = sum(
        encoding.format is PARQUET and source.size > habits.sample_bytes
        for source, encoding in zip(found, encodings, strict=True)
    )
    if len(named) == 1 and isinstance(named[0], ObjectSource):
        return Requests(s3_reads=1 + footers)
    lists = sum(isinstance(source, PrefixSource) for source in named)
    heads = sum(isinstance(source, ObjectSource) for source in named)
    samples = min(sum(source.size > 0 for source in objects), habits.sample_objects)
    return Requests(s3_reads=heads + samples + footers, s3_writes=lists + len(objects) // _LISTED_AT_ONCE)


def _to_cut(plan: Plan, habits: Habits) -> Requests:
    """A read at each cut; but a CSV is read through."""
    pieces = [one.place for partition in plan.partitions for one in partition]
    reads = 0
    for place, (source, encoding) in enumerate(zip(plan.sources, plan.encodings, strict=True)):
        cuts = pieces.count(place) - 1 if can_be_cut(encoding) else 0
        reads += _ceil(source.size, habits.range_bytes) if cuts and encoding.format is CSV else cuts
    return Requests(s3_reads=reads)


def _of_part(plan: Plan, part: int, joins: Sequence[bool], habits: Habits) -> Requests:
    size, is_second, lists = plan.bytes_of(part), part >= len(plan.partitions), int(plan.splits(part))
    inputs = [one for joined, used in zip(plan.joined, joins, strict=True) if used for one in joined.inputs]
    inputs += [] if is_second else plan.inputs_of(part)
    reads = sum(
        _ceil(size, habits.range_bytes)
        for one in inputs
        for size in (one.slice.head, one.slice.size, one.slice.tail)
        if isinstance(one.source, PinnedObject)
    )
    if is_second:
        reads += sum(_ceil(plan.bytes_of(first), habits.range_bytes) for first in range(part))
    reads += lists
    if size <= habits.put_bytes:
        return Requests(s3_reads=reads, s3_writes=1 + lists)
    return Requests(s3_reads=reads + 1, s3_writes=2 + _ceil(size, habits.chunk_bytes) + lists)


def _ceil(amount: int, unit: int) -> int:
    return -(-amount // unit)
