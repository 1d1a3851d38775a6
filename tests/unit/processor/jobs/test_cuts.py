"""Where large objects are cut: each piece holds whole records, and together they hold all."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.processor.domain.cuts import CsvCuts, can_be_cut, even_cuts, header_bytes, slices_between
from services.processor.domain.formats import CSV, JSON, NDJSON, Encoding
from services.processor.domain.pinned_sources import Slice

TEXTS = st.text(alphabet='a,"\n\r é', max_size=6)


def test_cuts_are_even() -> None:
    assert even_cuts(100, 100) == even_cuts(0, 100) == ()
    assert even_cuts(101, 100) == (50,)
    assert even_cuts(400, 100) == (100, 200, 300)
    assert len(even_cuts(10**15, 1)) == 9_999


def test_only_plain_lines_are_cut() -> None:
    assert can_be_cut(Encoding(NDJSON, "none"))
    assert can_be_cut(Encoding(CSV, "none"))
    assert not can_be_cut(Encoding(JSON, "none"))
    assert not can_be_cut(Encoding(CSV, "gzip"))


def test_slices_hold_each_byte_once() -> None:
    assert slices_between(3, 90, [60, 20, 60, 90, 0]) == (Slice(3, 0, 20), Slice(3, 20, 60), Slice(3, 60, 90))
    assert slices_between(0, 90, [8, 50], head=8) == (Slice(0, 0, 50), Slice(0, 50, 90, 8))
    assert slices_between(0, 0, []) == (Slice(0, 0, 0),)


@pytest.mark.parametrize(
    ("beginning", "length"),
    [(b"a,b\n1,2\n", 4), (b'"a\nb",c\r\n1,2', 9), (b"a,b", 0), (b"\na,b\n", 0), (b'"a,b\n1,2\n', 0)],
)
def test_a_header_ends_with_its_line(beginning: bytes, length: int) -> None:
    assert header_bytes(beginning) == length


@given(
    st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=12),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(["\n", "\r\n"]),
)
def test_pieces_of_a_csv_hold_its_records(
    records: list[tuple[str, str]], piece_bytes: int, chunk_bytes: int, line_end: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([("id", "note"), *records])
    content = text.getvalue().encode()
    cuts = CsvCuts(even_cuts(len(content), piece_bytes))
    for start in range(0, len(content), chunk_bytes):
        cuts.feed(content[start : start + chunk_bytes])
    head = header_bytes(content)
    slices = slices_between(0, len(content), cuts.cuts, head=head)
    found: list[list[str]] = []
    for one in slices:
        piece = content[: one.head] + content[one.start : one.end]
        found += list(csv.reader(io.StringIO(piece.decode(), newline=""), strict=True))[1:]
    assert b"".join(content[one.start : one.end] for one in slices) == content
    assert found == [list(record) for record in records]
    # None is larger than it has to be: a cut is the first record end behind an even one.
    assert cuts.cuts == sorted(set(cuts.cuts))
