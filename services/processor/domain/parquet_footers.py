"""The footer of a Parquet: where its groups of rows lie, and the footer of a file that has some of them alone.

Its structs are FileMetaData, RowGroup, ColumnChunk and ColumnMetaData of
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift; the numbers are ids of fields.
"""

from dataclasses import dataclass

from services.processor.domain.pipeline_errors import RecordError
from services.processor.domain.thrift_compact import (
    BROKEN,
    I64,
    LIST,
    STRUCT,
    BrokenThrift,
    CompactReader,
    Edits,
    i64,
    list_of,
)

LARGEST_FOOTER_BYTES = 16 << 20
_MAGIC = b"PAR1"
_END_BYTES = 8
_ROWS, _GROUPS = 3, 4
_COLUMNS, _ROWS_OF_GROUP = 1, 3
_METADATA = 3
_BYTES, _DATA, _DICTIONARY = _PLACES = 7, 9, 11
_INDEXES: Edits = dict.fromkeys((4, 5, 6, 7))
_BLOOM_FILTERS: Edits = dict.fromkeys((14, 15))
_WITHOUT_WHAT_LIES_ELSEWHERE: Edits = {_COLUMNS: {**_INDEXES, _METADATA: _BLOOM_FILTERS}}


@dataclass(frozen=True, slots=True)
class RowGroup:
    """So many records, and between which of the object's bytes their columns lie."""

    start: int
    end: int
    rows: int


def footer_bytes(last_bytes: bytes, name: str) -> int:
    """How many of the object's last bytes are its footer, with the length and the magic behind it.

    0 if they are those of no Parquet. Raises RecordError for a footer that is too large to be read.
    """
    if len(last_bytes) < _END_BYTES or not last_bytes.endswith(_MAGIC):
        return 0
    size = int.from_bytes(last_bytes[-_END_BYTES : -len(_MAGIC)], "little") + _END_BYTES
    if size > LARGEST_FOOTER_BYTES:
        message = f"its footer takes {size:,} bytes, more than the {LARGEST_FOOTER_BYTES:,} that are read"
        remedy = "write it with larger row groups or fewer columns, or as several objects"
        raise RecordError(message, object_name=name, remedy=remedy)
    return size


def row_groups(ending: bytes, size: int, name: str) -> tuple[RowGroup, ...]:
    """Those that have records. `ending`: the last bytes of an object of that size, all of its footer among them.

    Raises as `check_footer` does.
    """
    footer = _footer(ending, name)
    found = tuple(group for group, _ in _scanned(footer, name))
    if any(group.end > size - len(footer) - _END_BYTES for group in found):
        raise broken_parquet(name)
    return found


def check_footer(ending: bytes, name: str) -> None:
    """Before anybody reads it who believes what it says: raises RecordError if it claims to hold more than it does."""
    _scanned(_footer(ending, name), name)


def narrowed(ending: bytes, start: int, end: int, name: str) -> bytes:
    """The ending of a file that has the row groups which begin between two places alone, each at its old place.

    What helps to pass over records, but lies elsewhere in the object, is left out: page indexes, bloom filters.
    """
    footer = _footer(ending, name)
    kept = [(group, at) for group, at in _scanned(footer, name) if start <= group.start < end]
    rows = i64(sum(group.rows for group, _ in kept))
    groups = list_of([CompactReader(footer[at]).edited(_WITHOUT_WHAT_LIES_ELSEWHERE) for _, at in kept])
    made = CompactReader(footer).edited({_ROWS: lambda _: rows, _GROUPS: lambda _: groups})
    return made + len(made).to_bytes(_END_BYTES - len(_MAGIC), "little") + _MAGIC


def broken_parquet(name: str) -> RecordError:
    return RecordError("this is no whole Parquet file", object_name=name, remedy="write and upload it again")


def _footer(ending: bytes, name: str) -> bytes:
    size = footer_bytes(ending, name)
    if not 0 < size <= len(ending):
        raise broken_parquet(name)
    return ending[-size:-_END_BYTES]


def _scanned(footer: bytes, name: str) -> list[tuple[RowGroup, slice]]:
    """The row groups that have records, and where they stand in the footer, all of which is looked at."""
    reader, found = CompactReader(footer), []
    try:
        for field, kind in reader.fields():
            if field != _GROUPS or kind != LIST:
                reader.skip(kind)
                continue
            for _ in reader.structs():
                begin = reader.at
                group = _row_group(reader)
                if group.rows:
                    found.append((group, slice(begin, reader.at)))
    except BROKEN:
        raise broken_parquet(name) from None
    return found


def _row_group(reader: CompactReader) -> RowGroup:
    rows, places = 0, [0]
    for field, kind in reader.fields():
        if field == _COLUMNS and kind == LIST:
            places = [place for _ in reader.structs() for place in _chunk(reader)]
        elif field == _ROWS_OF_GROUP and kind == I64:
            rows = reader.integer()
        else:
            reader.skip(kind)
    start, end = min(places), max(places)
    if rows < 0 or (rows and start < len(_MAGIC)):
        raise BrokenThrift
    return RowGroup(start, end, rows)


def _chunk(reader: CompactReader) -> tuple[int, int]:
    """Where the pages of a column begin and end."""
    found: dict[int, int] = {}
    for field, kind in reader.fields():
        if field != _METADATA or kind != STRUCT:
            reader.skip(kind)
            continue
        for inner, inner_kind in reader.fields():
            if inner in _PLACES and inner_kind == I64:
                found[inner] = reader.integer()
            else:
                reader.skip(inner_kind)
    start = min(place for field in (_DATA, _DICTIONARY) if (place := found.get(field, 0)) or field == _DATA)
    return start, start + found.get(_BYTES, 0)
