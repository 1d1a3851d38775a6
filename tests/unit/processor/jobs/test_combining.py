"""Parts joined to a whole, however their bytes come."""

import json

import pytest

from services.processor.domain.combining import joining_of
from services.processor.domain.formats import CSV, JSON, NDJSON, Compression, Encoding, Format
from services.processor.domain.packing import Unpacking, packed

CASES = [
    (NDJSON, [b'{"a":1}\n', b"", b'{"a":2}\n'], b'{"a":1}\n{"a":2}\n'),
    (CSV, [b"a,b\n", b"a,b\n1,2\n3,4\n", b"a,b\n5,6\n"], b"a,b\n1,2\n3,4\n5,6\n"),
    (CSV, [b'"a\nx""y","b"\n1,"2\n"\n', b'"a\nx""y","b"\n3,4\n'], b'"a\nx""y","b"\n1,"2\n"\n3,4\n'),
    (CSV, [b"", b""], b""),
]


def joined(parts: list[bytes], form: Format, compression: Compression, size: int) -> bytes:
    joining = joining_of(Encoding(form, compression), len(parts))
    whole = b""
    for part in parts:
        content = packed(part, compression)
        for start in range(0, len(content), size):
            whole += b"".join(joining.feed(content[start : start + size]))
        whole += b"".join(joining.end_part())
    whole += b"".join(joining.end())
    return b"".join(Unpacking(compression).feed(whole))


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize(("form", "parts", "whole"), CASES)
def test_lines_come_in_a_row_under_one_header(
    form: Format, parts: list[bytes], whole: bytes, compression: Compression, size: int
) -> None:
    assert joined(parts, form, compression, size) == whole


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize(
    ("parts", "records"),
    [
        ([b'[\n\t{"a":[1]},\n\t{"a":[[]]}\n]\n', b"[]\n", b'[\n\t{"a":"]"}\n]\n'], [[1], [[]], "]"]),
        ([b"[]\n", b'[\n\t{"a":"[ ]"}\n]\n'], ["[ ]"]),
        ([b"[]\n", b"[]\n"], []),
    ],
)
def test_arrays_become_one_array(
    parts: list[bytes], records: list[object], compression: Compression, size: int
) -> None:
    assert [one["a"] for one in json.loads(joined(parts, JSON, compression, size))] == records


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_part_that_unpacks_to_much_is_the_same(compression: Compression) -> None:
    row = b"a,b\n" + b"1,2\n" * 2_000_000
    assert joined([row, row], CSV, compression, 65_536) == row + row[4:]
