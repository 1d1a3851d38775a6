"""Thrift's compact protocol, as far as the footer of a Parquet needs it.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. Whatever the bytes are, reading them
ends: no value is longer than what is left of them, none is nested deeper than so much, and no more structs lie in
lists than so many.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

BINARY, LIST, STRUCT = 8, 9, 12
I64 = 6
_SET = 10
_INTEGERS = {4, 5, I64}
_BOOLEANS = {1, 2}
_SIZES = {1: 0, 2: 0, 3: 1, 7: 8}
"""A boolean stands in the header of its field."""

_LONG_STEP, _LONG_LIST = 15, 15
_STOP = b"\0"
_DEEPEST = 16
_MOST_STRUCTS = 500_000
_VARINT_BYTES = 10
_MORE = 0x80

Edit: TypeAlias = "Callable[[bytes], bytes] | Edits | None"
Edits: TypeAlias = Mapping[int, Edit]
"""What becomes of fields, by ids: None leaves one out; Edits are for a struct, or for each of a list of structs."""


class BrokenThrift(ValueError):  # noqa: N818 - states the fact
    """These bytes are no such struct, or a larger one than any should be."""


BROKEN = (BrokenThrift, IndexError)
"""What reading raises; where the bytes end too soon, the latter."""


class CompactReader:
    """Reads forward from `at`. Each value is to be read or skipped before the next is asked for."""

    def __init__(self, content: bytes) -> None:
        self.at = 0
        self._content = content
        self._structs = 0

    def integer(self) -> int:
        """A signed one of any width but a byte."""
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def fields(self) -> Iterator[tuple[int, int]]:
        """Id and kind of each field of a struct."""
        last = 0
        while header := self._byte():
            last = last + (header >> 4) if header > _LONG_STEP else self.integer()
            yield last, header & 0x0F

    def structs(self) -> Iterator[None]:
        """As often as a list says that structs are in it."""
        kind, count = self._list()
        if kind != STRUCT and count:
            raise BrokenThrift
        for _ in range(count):
            yield

    def skip(self, kind: int) -> None:
        """Pass over a value."""
        self.at = self._behind(kind, self.at, 0)

    def taken(self, kind: int) -> bytes:
        """The bytes of a value."""
        start = self.at
        self.skip(kind)
        return self._content[start : self.at]

    def edited(self, edits: Edits) -> bytes:
        """A struct as it is after some edits."""
        made, last = bytearray(), 0
        for field, kind in self.fields():
            value = self._edited_value(kind, edits.get(field, bytes))
            if value is not None:
                made += _field_header(field, kind, last) + value
                last = field
        return bytes(made) + _STOP

    def _edited_value(self, kind: int, edit: Edit) -> bytes | None:
        if isinstance(edit, Mapping) and kind == STRUCT:
            return self.edited(edit)
        if isinstance(edit, Mapping) and kind == LIST:
            return list_of([self.edited(edit) for _ in self.structs()])
        value = self.taken(kind)
        return edit(value) if callable(edit) else None

    def _behind(self, kind: int, at: int, depth: int) -> int:
        """Where a value that begins `at` has ended. A footer is mostly this, so it is one function, and quick."""
        content = self._content
        if kind in _INTEGERS:
            while content[at] >= _MORE:
                at += 1
            return at + 1
        if depth > _DEEPEST:
            raise BrokenThrift
        if kind == STRUCT:
            while header := content[at]:
                at = at + 1 if header > _LONG_STEP else self._behind(I64, at + 1, depth)
                at = self._behind(header & 0x0F, at, depth + 1)
            return at + 1
        self.at = at
        if kind in {LIST, _SET}:
            self._skip_list(depth)
        elif kind == BINARY:
            self._pass_over(self._varint())
        elif kind in _SIZES:
            self._pass_over(_SIZES[kind])
        else:  # no struct of Parquet has a map
            raise BrokenThrift
        return self.at

    def _skip_list(self, depth: int) -> None:
        kind, count = self._list()
        if kind in _BOOLEANS:
            self._pass_over(count)
            return
        for _ in range(count):
            self.at = self._behind(kind, self.at, depth + 1)

    def _list(self) -> tuple[int, int]:
        header = self._byte()
        kind, count = header & 0x0F, header >> 4
        count = self._varint() if count == _LONG_LIST else count
        self._structs += count if kind == STRUCT else 0
        if count > len(self._content) - self.at or self._structs > _MOST_STRUCTS:
            raise BrokenThrift
        return kind, count

    def _varint(self) -> int:
        value = self._byte()
        if value < _MORE:
            return value
        value -= _MORE
        for place in range(1, _VARINT_BYTES):
            byte = self._byte()
            value |= (byte % _MORE) << 7 * place
            if byte < _MORE:
                return value
        raise BrokenThrift

    def _byte(self) -> int:
        self.at += 1
        return self._content[self.at - 1]

    def _pass_over(self, size: int) -> None:
        self.at += size
        if self.at > len(self._content):
            raise BrokenThrift


def i64(value: int) -> bytes:
    """As a field holds it."""
    return _varint((value << 1) ^ (value >> 63))


def list_of(structs: list[bytes]) -> bytes:
    """A list of structs that are written already."""
    count = len(structs)
    header = bytes([count << 4 | STRUCT]) if count < _LONG_LIST else bytes([_LONG_LIST << 4 | STRUCT]) + _varint(count)
    return header + b"".join(structs)


def _field_header(field: int, kind: int, last: int) -> bytes:
    step = field - last
    return bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + i64(field)  # noqa: PLR2004 - a nibble


def _varint(value: int) -> bytes:
    made = bytearray()
    while value >= _MORE:
        made.append(value % _MORE + _MORE)
        value >>= 7
    return bytes([*made, value])
