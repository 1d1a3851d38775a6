"""Bytes that come in chunks, by lines."""

from collections.abc import Iterable, Iterator


def lines(chunks: Iterable[bytes], *, is_whole: bool) -> Iterator[bytes]:
    """Without the last one where it may be cut."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if is_whole and rest:
        yield rest


def cut_lines(content: bytes) -> bytes:
    """Up to the last line's end."""
    return content[: content.rfind(b"\n") + 1]
