"""The files of a run: as they came, and as the engine reads them (plain, without a byte order mark)."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from services.processor.domain.formats import Compression, Encoding, Format
from services.processor.domain.pipeline_errors import RecordError
from services.processor.engine.session import Session, Stop

_CHUNK_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class InputFile:
    """One object's bytes in a file, from byte `start` on. `name` is what errors call it: its S3 URL."""

    path: Path
    name: str
    encoding: Encoding
    start: int = 0


@dataclass(frozen=True, slots=True)
class PlainFile:
    path: Path
    name: str
    format: Format


def plain_files(files: Sequence[InputFile], session: Session, *, max_bytes: int) -> tuple[PlainFile, ...]:
    """Raises RecordError for an object that is no gzip, or not the whole of one, though it should be.

    Also for the one with which all that is unpacked has more than `max_bytes`: a small gzip may hold any number.
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
    with file.path.open("rb") as raw:
        start = raw.read(len(_BOM))
    if file.encoding.compression == "none" and start != _BOM:
        check_encoding(start, file.name)
        return PlainFile(file.path, file.name, file.encoding.format)
    with plain_path.open("wb") as plain:
        for i, chunk in enumerate(_chunks(file)):
            session.stop.check()
            if not i:
                check_encoding(chunk, file.name)
            room.check(plain.tell() + len(chunk), file.name)
            plain.write(chunk.removeprefix(_BOM) if not i else chunk)
    return PlainFile(plain_path, file.name, file.encoding.format)


def _chunks(file: InputFile) -> Iterator[bytes]:
    try:
        with _opened(file.path, file.encoding.compression) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise broken_gzip(file.name) from None


def chunks_of(file: PlainFile, stop: Stop) -> Iterator[bytes]:
    """The file in pieces, for slow readers: each piece asks whether to go on."""
    with file.path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            stop.check()
            yield chunk


def _opened(path: Path, compression: Compression) -> gzip.GzipFile | BufferedReader:
    return gzip.GzipFile(path, "rb") if compression == "gzip" else path.open("rb")


def broken_gzip(name: str) -> RecordError:
    return RecordError("this is no whole gzip file", object_name=name, remedy="compress and upload it again")


def check_encoding(start: bytes, name: str) -> None:
    if start.startswith(_UTF_16):
        raise RecordError("the text is UTF-16", object_name=name, remedy="save it as UTF-8")
