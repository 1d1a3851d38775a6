"""The files of a run: as they came, and as the engine reads them (plain, without a byte order mark)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.processor.domain.formats import Compression, Encoding, Format
from services.processor.domain.packing import BrokenPacking, Unpacking
from services.processor.domain.pipeline_errors import RecordError
from services.processor.engine.session import Session, Stop

_CHUNK_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class InputFile:
    """One object's bytes in a file, from byte `start` on, behind `head` bytes of its beginning.

    Or, of a Parquet, some of its row groups, `before` which it has so many records. `name` is what errors call it: its
    S3 URL.
    """

    path: Path
    name: str
    encoding: Encoding
    start: int = 0
    head: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where records come from, as errors name it: an object, from byte `start` on or behind so many records."""

    name: str
    start: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True)
class PlainFile:
    """`shift`: what stands at a place of the file, behind the head, stands so much further in the object, unpacked.

    `most`: of a Parquet, only so many records are read, the first ones.
    """

    path: Path
    name: str
    format: Format
    start: int = 0
    shift: int = 0
    before: int = 0
    most: int | None = None


def plain_files(files: Sequence[InputFile], session: Session, *, max_bytes: int) -> tuple[PlainFile, ...]:
    """Raises RecordError for an object that is not the whole of a packed one, though it should be.

    Also for the one with which all that is unpacked has more than `max_bytes`: a small one may hold any number.
    """
    plain: list[PlainFile] = []
    left = max_bytes
    for i, file in enumerate(files):
        path = session.folder / f"plain-{i}"
        plain.append(_plain_file(file, path, session, _Room(left, max_bytes)))
        left -= path.stat().st_size if path.exists() else 0
    return tuple(plain)


@dataclass(frozen=True, slots=True)
class _Room:
    left: int
    limit: int

    def check(self, size: int, name: str) -> None:
        if size > self.left:
            raise RecordError(
                f"unpacked it takes more than {self.limit >> 20:,} MiB, which is all that one piece of work may unpack",
                object_name=name,
                remedy="split it, or have MAYFLY_ENGINE_MAX_PLAIN_MB raised",
            )


def _plain_file(file: InputFile, plain_path: Path, session: Session, room: _Room) -> PlainFile:
    shift = file.start - file.head
    with file.path.open("rb") as raw:
        start = raw.read(len(_BOM))
    if file.encoding.compression == "none" and start != _BOM:
        check_encoding(start, file.name)
        return PlainFile(file.path, file.name, file.encoding.format, file.start, shift, file.before)
    with plain_path.open("wb") as plain:
        for i, chunk in enumerate(_chunks(file)):
            session.stop.check()
            if not i:
                check_encoding(chunk, file.name)
                shift += len(_BOM) if chunk.startswith(_BOM) else 0
            room.check(plain.tell() + len(chunk), file.name)
            plain.write(chunk.removeprefix(_BOM) if not i else chunk)
    return PlainFile(plain_path, file.name, file.encoding.format, file.start, shift)


def _chunks(file: InputFile) -> Iterator[bytes]:
    """Plain; the first one is long enough to tell the text's encoding by, if the file is."""
    pieces, start = _pieces(file), b""
    for piece in pieces:
        start += piece
        if len(start) >= len(_BOM):
            break
    if start:
        yield start
    yield from pieces


def _pieces(file: InputFile) -> Iterator[bytes]:
    unpacking = Unpacking(file.encoding.compression)
    try:
        with file.path.open("rb") as stream:
            while packed := stream.read(_CHUNK_BYTES):
                yield from unpacking.feed(packed)
    except BrokenPacking:
        raise broken_packing(file.name, file.encoding.compression) from None
    if not unpacking.is_complete:
        raise broken_packing(file.name, file.encoding.compression)


def chunks_of(file: PlainFile, stop: Stop) -> Iterator[bytes]:
    """The file in pieces, for slow readers: each piece asks whether to go on."""
    with file.path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            stop.check()
            yield chunk


def broken_packing(name: str, compression: Compression) -> RecordError:
    return RecordError(f"this is no whole {compression} file", object_name=name, remedy="compress and upload it again")


def check_encoding(start: bytes, name: str) -> None:
    if start.startswith(_UTF_16):
        raise RecordError("the text is UTF-16", object_name=name, remedy="save it as UTF-8")
