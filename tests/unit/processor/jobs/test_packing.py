"""Gzip and zstd: whole or refused, in pieces of a bounded size, whatever the pieces they come in."""

import os
import struct

import pytest

from services.processor.domain.formats import Compression, compression_of, format_by_name
from services.processor.domain.packing import BrokenPacking, Packing, Unpacking, packed

MIB = 1 << 20
PLAIN = b"".join(b"%d," % number for number in range(100_000))
BOTH = pytest.mark.parametrize("compression", ["gzip", "zstd"])
SKIPPED = struct.pack("<II", 0x184D2A53, 5) + b"index"
"""A frame of zstd that holds no data (RFC 8878 section 3.1.2)."""


def unpacked(content: bytes, compression: Compression, size: int = MIB) -> tuple[bytes, bool]:
    unpacking = Unpacking(compression)
    starts = range(0, len(content), size)
    return b"".join(piece for at in starts for piece in unpacking.feed(content[at : at + size])), unpacking.is_complete


@BOTH
@pytest.mark.parametrize("size", [7, 1000, MIB])
def test_what_was_packed_is_unpacked_to_its_end(compression: Compression, size: int) -> None:
    packing = Packing(compression)
    content = packing.feed(PLAIN) + packing.end()
    assert len(content) < len(PLAIN)
    assert unpacked(content, compression, size) == (PLAIN, True)
    assert unpacked(packed(PLAIN, compression) * 2, compression, size) == (PLAIN * 2, True)


@BOTH
def test_what_ends_too_soon_is_not_complete(compression: Compression) -> None:
    content = packed(PLAIN, compression)
    for end in (1, 10, len(content) // 2, len(content) - 1):
        assert unpacked(content[:end], compression)[1] is False
        assert unpacked(content + content[:end], compression)[1] is False
    assert unpacked(b"", compression) == (b"", True)


@BOTH
def test_what_is_something_else_is_refused(compression: Compression) -> None:
    for content in (b"no such thing", packed(PLAIN, compression) + b"text behind it"):
        with pytest.raises(BrokenPacking):
            unpacked(content, compression)


@BOTH
def test_a_small_one_that_holds_much_comes_in_small_pieces(compression: Compression) -> None:
    pieces = list(Unpacking(compression).feed(packed(bytes(20 * MIB), compression)))
    assert sum(map(len, pieces)) == 20 * MIB
    assert max(map(len, pieces)) <= MIB // 4


def test_zeros_behind_gzip_and_frames_without_data_are_passed_over() -> None:
    assert unpacked(packed(b"a", "gzip") + bytes(512) + packed(b"b", "gzip") + bytes(9), "gzip") == (b"ab", True)
    assert unpacked(SKIPPED + packed(b"a", "zstd") + SKIPPED + packed(b"b", "zstd"), "zstd") == (b"ab", True)


def test_a_window_that_would_need_much_memory_is_refused() -> None:
    """The header of a frame whose window is 2 GiB (RFC 8878 section 3.1.1.1.2)."""
    with pytest.raises(BrokenPacking):
        unpacked(b"\x28\xb5\x2f\xfd\x00" + bytes([(31 - 10) << 3]) + os.urandom(64), "zstd")


@BOTH
def test_it_is_told_by_its_first_bytes_and_without_any_by_its_name(compression: Compression) -> None:
    suffix = {"gzip": ".gz", "zstd": ".zst"}[compression]
    assert compression_of("a.csv", packed(b"a", compression)) == compression
    assert compression_of(f"a.csv{suffix}", b"a,b") == "none"
    assert compression_of(f"A.CSV{suffix.upper()}", b"") == compression
    assert (format_by_name(f"a.csv{suffix}"), compression_of("a.csv", SKIPPED)) == (format_by_name("a.csv"), "zstd")
