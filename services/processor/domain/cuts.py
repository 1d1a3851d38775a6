"""Where a large object may be cut so that each piece holds whole records.

Behind the line ends nearest to even cuts, or between the groups of rows of a Parquet.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from services.processor.domain.formats import CSV, NDJSON, Encoding
from services.processor.domain.parquet_footers import RowGroup, footer_bytes, row_groups
from services.processor.domain.pinned_sources import PinnedObject, Slice

_MOST_PIECES = 10_000


def can_be_cut(encoding: Encoding) -> bool:
    """What is compressed, or one JSON array, can only be read from its beginning."""
    return encoding.compression == "none" and encoding.format in {NDJSON, CSV}


def even_cuts(size: int, piece_bytes: int) -> tuple[int, ...]:
    """The places that cut `size` bytes into nearly equal pieces of at most so many; larger ones of a huge object."""
    pieces = min(-(-size // piece_bytes), _MOST_PIECES)
    return tuple(number * size // pieces for number in range(1, pieces))


def slices_between(place: int, size: int, cuts: Iterable[int], *, head: int = 0) -> tuple[Slice, ...]:
    """The pieces of a source; a record that is longer than a piece leaves fewer of them."""
    inner = sorted({cut for cut in cuts if head < cut < size})
    starts, ends = [0, *inner], [*inner, size]
    return tuple(Slice(place, start, end, head if start else 0) for start, end in zip(starts, ends, strict=True))


def slices_of_parquet(place: int, source: PinnedObject, ending: bytes, piece_bytes: int) -> tuple[Slice, ...]:
    """The pieces of a source that ends so. Raises RecordError as `row_groups` does."""
    groups, tail = row_groups(ending, source.size, source.name), footer_bytes(ending, source.name)
    return slices_of_groups(place, source.size, groups, piece_bytes, tail=tail)


def slices_of_groups(
    place: int, size: int, groups: Sequence[RowGroup], piece_bytes: int, *, tail: int
) -> tuple[Slice, ...]:
    """As many groups in a piece as have at most so many bytes together; one piece where they don't lie in order."""
    piece_bytes = max(piece_bytes, 2 * size // _MOST_PIECES)
    starts, befores, rows = [0], [0], 0
    for group in groups if _in_order(groups) else ():
        if group.end - starts[-1] > piece_bytes and rows > befores[-1]:
            starts.append(group.start)
            befores.append(rows)
        rows += group.rows
    if len(starts) == 1:
        return (Slice(place, 0, size),)
    pieces = zip(starts, [*starts[1:], size], befores, strict=True)
    return tuple(Slice(place, start, end, tail=tail, before=before) for start, end, before in pieces)


def _in_order(groups: Sequence[RowGroup]) -> bool:
    return all(one.end <= other.start for one, other in pairwise(groups))


def header_bytes(beginning: bytes) -> int:
    """How long the first line of a CSV is, its end included; 0 where none is seen to end."""
    end = _line_end(beginning, 0, within_quotes=False)
    return end if beginning[:end].strip() else 0


class CsvCuts:
    """`feed` a CSV from its beginning. `cuts` are the first record ends at or behind each of the even cuts.

    A line end within quotes ends no record, so all that comes before has to be seen; nothing of it is kept.
    Quotes in a field that has none around it mislead: a cut may then fall into a field, whose piece does not end it and
    can't be read.
    """

    def __init__(self, wanted: Iterable[int]) -> None:
        self._wanted = list(wanted)
        self._seen = 0
        self._within_quotes = False
        self.cuts: list[int] = []

    def feed(self, chunk: bytes) -> None:
        at = 0
        while self._wanted and (goal := self._wanted[0] - 1 - self._seen) < len(chunk):
            start = max(at, goal)
            self._pass_over(chunk[at:start])
            end = _line_end(chunk, start, within_quotes=self._within_quotes)
            at = end or len(chunk)
            self._pass_over(chunk[start:at])
            if not end:
                break
            self.cuts.append(self._seen + end)
            self._wanted = [wanted for wanted in self._wanted if wanted > self._seen + end]
        self._pass_over(chunk[at:])
        self._seen += len(chunk)

    def _pass_over(self, content: bytes) -> None:
        self._within_quotes ^= content.count(b'"') % 2 == 1


def _line_end(content: bytes, start: int, *, within_quotes: bool) -> int:
    """Behind the first line end from `start` on that is not within quotes; 0: there is none."""
    while (end := content.find(b"\n", start)) >= 0:
        within_quotes ^= content.count(b'"', start, end) % 2 == 1
        if not within_quotes:
            return end + 1
        start = end + 1
    return 0
