"""Bytes that come in chunks, by lines."""

import sys
from collections.abc import Iterable, Iterator


def lines(chunks: Iterable[bytes], *, is_whole: bool) -> Iterator[bytes]:
    """Without the last one where it may be cut."""
    return (content for content, _ in measured_lines(chunks, is_whole=is_whole, most=sys.maxsize))


def measured_lines(chunks: Iterable[bytes], *, is_whole: bool, most: int) -> Iterator[tuple[bytes, int]]:
    """The same, each with its size. Of one that is longer than `most` only about so much is kept."""
    kept: list[bytes] = []
    size = 0
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            yield b"".join([*kept, piece]), size + len(piece)
            kept, size = [], 0
        if size <= most:
            kept.append(rest)
        size += len(rest)
    if is_whole and size:
        yield b"".join(kept), size


def cut_lines(content: bytes) -> bytes:
    """Up to the last line's end."""
    return content[: content.rfind(b"\n") + 1]
