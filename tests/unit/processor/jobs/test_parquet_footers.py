"""A piece of a Parquet is a file of its row groups alone; no footer, whatever it claims, costs more than its size."""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.processor.domain.cuts import slices_of_groups, slices_of_parquet
from services.processor.domain.parquet_footers import (
    LARGEST_FOOTER_BYTES,
    RowGroup,
    check_footer,
    footer_bytes,
    narrowed,
    row_groups,
)
from services.processor.domain.pinned_sources import PinnedObject, Slice
from services.processor.domain.pipeline_errors import RecordError
from tests.support.parquet_files import grouped_parquet

QUERY = (
    "SELECT i AS a, (i % 7)::VARCHAR AS b, [i, NULL] AS c, {'x': i, 'y': md5(i::VARCHAR)} AS d, "
    "CASE WHEN i % 3 = 0 THEN i / 3 END AS e FROM range(9000) r(i)"
)
FILTERS: dict[str, Callable[[Any], bool]] = {
    "b = '3'": lambda row: row[1] == "3",
    "b = 'none'": lambda row: row[1] == "none",
    "a > 5000": lambda row: row[0] > 5000,
    "e IS NULL": lambda row: row[4] is None,
}
NO_PARQUET = r"^in\.parquet: this is no whole Parquet file; write and upload it again"


def pinned(content: bytes) -> PinnedObject:
    return PinnedObject("bucket", "in.parquet", '"etag"', len(content))


def piece(content: bytes, one: Slice) -> bytes:
    """What a worker makes of a slice: nothing of the object but the slice and the tail, and zeros before."""
    own = narrowed(content[len(content) - one.tail :], one.start, one.end, "in.parquet")
    return bytes(one.start) + content[one.start : one.end] + own


@pytest.mark.parametrize(
    "options",
    ["", ", COMPRESSION zstd", ", COMPRESSION uncompressed", ", PARQUET_VERSION V2", ", DICTIONARY_SIZE_LIMIT 1"],
)
@pytest.mark.parametrize("pieces", [5, 3])
def test_pieces_hold_each_record_once_and_need_nothing_else(tmp_path: Path, options: str, pieces: int) -> None:
    content = grouped_parquet(tmp_path, QUERY, options)
    slices = slices_of_parquet(3, pinned(content), content, 1 if pieces == 5 else len(content) // 2)
    assert len(slices) == pieces
    assert [(slices[0].start, slices[-1].end)] == [(0, len(content))]
    path = tmp_path / "piece.parquet"
    with duckdb.connect() as connection:
        expected = connection.execute(QUERY).fetchall()
        for one, following in zip(slices, [*slices[1:], None], strict=True):
            path.write_bytes(piece(content, one))
            found = connection.execute(f"SELECT * FROM read_parquet('{path}')").fetchall()  # noqa: S608
            until = following.before if following else len(expected)
            assert found == expected[one.before : until]
            # What would be looked for in a bloom filter, or told by statistics.
            for where, fits in FILTERS.items():
                read = f"SELECT count(*) FROM read_parquet('{path}') WHERE {where}"  # noqa: S608
                assert connection.execute(read).fetchall() == [(sum(map(fits, found)),)]


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 9)), min_size=1, max_size=12),
    st.integers(1, 100),
    st.integers(0, 30),
)
def test_pieces_are_as_large_as_they_may_be(sizes: list[tuple[int, int]], piece_bytes: int, tail: int) -> None:
    groups, at = [], 4
    for size, rows in sizes:
        groups.append(RowGroup(at, at + size, rows))
        at += size
    slices = slices_of_groups(0, at + tail, groups, piece_bytes, tail=tail or 1)
    assert [one.end for one in slices] == [*(one.start for one in slices[1:]), at + tail]
    for one in slices:
        own = [group for group in groups if max(one.start, 4) <= group.start < one.end]
        assert own
        assert one.before == sum(group.rows for group in groups if group.end <= one.start)
        assert own[-1].end - one.start <= piece_bytes or len(own) == 1
    for one, following in pairwise(slices):
        assert next(group.end for group in groups if group.start == following.start) - one.start > piece_bytes


def test_groups_that_lie_among_one_another_stay_together() -> None:
    groups = [RowGroup(4, 50, 1), RowGroup(40, 90, 1), RowGroup(90, 99, 1)]
    assert slices_of_groups(0, 100, groups, 10, tail=1) == (Slice(0, 0, 100),)
    assert slices_of_groups(0, 100, [], 10, tail=1) == (Slice(0, 0, 100),)


def test_a_huge_object_is_not_cut_into_more_pieces_than_a_job_may_have() -> None:
    groups = [RowGroup(4 + 10 * number, 14 + 10 * number, 1) for number in range(30_000)]
    assert 5_000 < len(slices_of_groups(0, 300_004, groups, 1, tail=1)) <= 10_000


def footer(*fields: bytes) -> bytes:
    content = b"".join(fields)
    return content + len(content).to_bytes(4, "little") + b"PAR1"


VERSION, SCHEMA_OF_LISTS, GROUPS = b"\x15\x02", b"\x19", b"\x39"
MANY_STRUCTS = b"\xfc\xff\xff\xff\x07"
HOSTILE = {
    "nothing": b"",
    "no magic": b"PAR1" + bytes(20),
    "a length beyond the file": b"PAR1" + b"\xff\xff\x00\x00PAR1",
    "a list of two millions in no bytes": footer(VERSION, SCHEMA_OF_LISTS, MANY_STRUCTS),
    "as many groups": footer(VERSION, GROUPS, MANY_STRUCTS, bytes(100)),
    "more structs than any should have": footer(VERSION, SCHEMA_OF_LISTS, b"\xfc\x81\x89\x7a", bytes(2_000_002), b"\0"),
    "a text longer than all": footer(VERSION, b"\x38\xff\xff\xff\xff\x07"),
    "structs within structs": footer(b"\x1c" * 10_000, bytes(10_001)),
    "lists within lists": footer(b"\x19" * 10_000, bytes(10_001)),
    "a number without end": footer(b"\x15" + b"\xff" * 1000),
    "a map": footer(b"\x1b\x01\x88\x00"),
    "a group of many records and no column": footer(VERSION, b"\x39\x1c\x36\x02\x00\x00"),
    "fewer records than none": footer(VERSION, b"\x39\x1c\x36\x01\x00\x00"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_footer_is_no_parquet(name: str) -> None:
    with pytest.raises(RecordError, match=NO_PARQUET):
        check_footer(HOSTILE[name], "in.parquet")


def test_a_footer_has_a_size_beyond_which_it_is_not_read() -> None:
    ending = (LARGEST_FOOTER_BYTES - 7).to_bytes(4, "little") + b"PAR1"
    with pytest.raises(RecordError, match=r"^in\.parquet: its footer takes 16,777,217 bytes, .*; write it with larger"):
        footer_bytes(ending, "in.parquet")
    assert footer_bytes(b"\0\0\0\0PAR1", "in.parquet") == 8
    assert footer_bytes(b"a,b\n1,2\n3,4\n", "in.csv") == 0


def test_a_group_behind_the_end_is_no_parquet(tmp_path: Path) -> None:
    content = grouped_parquet(tmp_path, QUERY)
    assert row_groups(content, len(content), "in.parquet")
    with pytest.raises(RecordError, match=NO_PARQUET):
        row_groups(content, len(content) // 2, "in.parquet")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return grouped_parquet(tmp_path_factory.mktemp("footer"), "SELECT i AS a, i::VARCHAR AS b FROM range(9000) r(i)")


@given(data=st.data())
def test_any_footer_is_read_or_refused(whole: bytes, data: st.DataObject) -> None:
    size = footer_bytes(whole, "in.parquet")
    ending = bytearray(whole[-size:])
    for place in data.draw(st.lists(st.integers(0, size - 9), max_size=4)):
        ending[place] = data.draw(st.integers(0, 255))
    with suppress(RecordError):
        for one in slices_of_parquet(0, pinned(whole), bytes(ending), 1):
            if one.tail:
                check_footer(narrowed(bytes(ending), one.start, one.end, "in.parquet"), "in.parquet")
