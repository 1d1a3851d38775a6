"""Several parts of a result as one: what is done with their bytes, piece by piece. Memory does not grow with them."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from services.processor.domain.formats import CSV, NDJSON, PARQUET, Compression, Encoding
from services.processor.domain.packing import Packing, Unpacking
from shared.errors import Conflict


class PartsStandAlone(Conflict):
    """These files can't be joined without being written anew. Ask without `combined` for a link to each."""

    code, title = "parts-stand-alone", "The parts can't be given as one"

    def __init__(self, what: str) -> None:
        remedy = "fetch each by its link, which the answer without combined=true holds; most readers take them as one"
        super().__init__(f"{what}; {remedy}.")


def split_parts_stand_alone(names: Sequence[str]) -> PartsStandAlone:
    columns = ", ".join(f'"{name}"' for name in names)
    return PartsStandAlone(
        f"The result is split by {columns}: the values stand in the files' folders, not in the files"
    )


class Joining(Protocol):
    """`feed` all bytes of a part, then `end_part`, part by part; then `end`. Each gives bytes of the whole."""

    def feed(self, content: bytes) -> Iterator[bytes]: ...

    def end_part(self) -> Iterator[bytes]: ...

    def end(self) -> Iterator[bytes]: ...


def joining_of(encoding: Encoding, parts: int) -> Joining:
    """For so many parts that a worker wrote in this encoding; the whole is in the same.

    Raises PartsStandAlone where they can't be joined.
    """
    if encoding.format is PARQUET:
        if parts > 1:
            raise PartsStandAlone(f"The result is {parts} files of {encoding.format.name}, which can't be joined")
        return _InARow()
    if encoding.format is NDJSON:  # packed files in a row are one
        return _InARow()
    joining: Joining = _OneHeader() if encoding.format is CSV else _OneArray()
    return joining if encoding.compression == "none" else _Packed(joining, encoding.compression)


class _InARow:
    def feed(self, content: bytes) -> Iterator[bytes]:
        yield content

    def end_part(self) -> Iterator[bytes]:
        yield from ()

    def end(self) -> Iterator[bytes]:
        yield from ()


class _OneHeader(_InARow):
    """CSV: the header of the first part stands for all. A line's end within quotes does not end the header."""

    def __init__(self) -> None:
        self._in_header = self._is_quoted = False

    def feed(self, content: bytes) -> Iterator[bytes]:
        if self._in_header:
            content = self._behind_header(content)
        yield content

    def end_part(self) -> Iterator[bytes]:
        self._in_header, self._is_quoted = True, False
        yield from ()

    def _behind_header(self, content: bytes) -> bytes:
        for place, line in _lines(content):
            self._is_quoted ^= line.count(b'"') % 2 == 1
            if line.endswith(b"\n") and not self._is_quoted:
                self._in_header = False
                return content[place + len(line) :]
        return b""


class _OneArray:
    """JSON: what lies between the brackets, with commas between the parts that hold any."""

    def __init__(self) -> None:
        self._opened = False
        self._part_has_any = False
        self._kept = b""

    def feed(self, content: bytes) -> Iterator[bytes]:
        """The last bytes are kept back: they may be the closing bracket, and the spaces around it."""
        content = self._kept + content
        if not self._part_has_any:
            content = content.lstrip(b" \t\r\n[")
        closes = content.rstrip(b" \t\r\n]")
        # Of `…]]` the outer one alone is the array's. Records are objects, so nothing else ends in a bracket here.
        self._kept = content[len(closes) :]
        if closes:
            yield from self._before_part()
            yield closes

    def end_part(self) -> Iterator[bytes]:
        self._kept, self._part_has_any = b"", False
        yield from ()

    def end(self) -> Iterator[bytes]:
        yield b"\n]\n" if self._opened else b"[]\n"

    def _before_part(self) -> Iterator[bytes]:
        if not self._part_has_any:
            yield b",\n" if self._opened else b"[\n"
        self._opened = self._part_has_any = True


class _Packed:
    """Each part is unpacked, and the whole is packed anew."""

    def __init__(self, joining: Joining, compression: Compression) -> None:
        self._joining = joining
        self._unpacking = Unpacking(compression)
        self._packing = Packing(compression)

    def feed(self, content: bytes) -> Iterator[bytes]:
        for plain in self._unpacking.feed(content):
            yield from self._pack(self._joining.feed(plain))

    def end_part(self) -> Iterator[bytes]:
        yield from self._pack(self._joining.end_part())

    def end(self) -> Iterator[bytes]:
        yield from self._pack(self._joining.end())
        yield self._packing.end()

    def _pack(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        return map(self._packing.feed, pieces)


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    for line in content.split(b"\n"):
        whole = content[place : place + len(line) + 1]
        yield place, whole
        place += len(whole)
