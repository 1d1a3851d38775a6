"""Gzip and zstd, packed and unpacked piece by piece: memory does not grow with what comes, nor with what it holds."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from typing import Protocol

from services.processor.domain.formats import Compression

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE_BYTES = 256 * 1024
_GZIP = 31
"""zlib's name for a gzip header around the stream."""

_LEVEL = 1
"""An answer waits for it."""


class BrokenPacking(ValueError):  # noqa: N818 - says the fact
    """These bytes are not what they should be."""


class Unpacking:
    """`feed` all bytes in order. A file may hold several members in a row: together they are one (RFC 1952, RFC 8878).

    Of zstd no window beyond 128 MiB is taken.
    """

    def __init__(self, compression: Compression) -> None:
        self._compression = compression
        self._member: _Member | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing from what was fed."""
        return self._compression == "none" or self._member is None

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Pieces of a bounded size. Raises BrokenPacking."""
        if self._compression == "none":
            yield packed
            return
        while packed := self._behind_padding(packed):
            self._member = self._member or _MEMBERS[self._compression]()
            try:
                yield from self._member.feed(packed)
            except (zlib.error, zstd.ZstdError):
                raise BrokenPacking(self._compression) from None
            packed = self._member.unused_data
            if self._member.eof:
                self._member = None

    def _behind_padding(self, packed: bytes) -> bytes:
        """Zeros between members of gzip, as tapes have them, are none."""
        return packed.lstrip(b"\0") if self._member is None and self._compression == "gzip" else packed


class _Member(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def feed(self, packed: bytes) -> Iterator[bytes]: ...


class _GzipMember:
    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(_GZIP)

    @property
    def eof(self) -> bool:
        return self._unpacker.eof

    @property
    def unused_data(self) -> bytes:
        return self._unpacker.unused_data

    def feed(self, packed: bytes) -> Iterator[bytes]:
        while not self.eof:
            piece = self._unpacker.decompress(packed, _PIECE_BYTES)
            packed = self._unpacker.unconsumed_tail
            if piece:
                yield piece
            elif not packed:
                return


class _ZstdMember:
    def __init__(self) -> None:
        self._unpacker = zstd.ZstdDecompressor()

    @property
    def eof(self) -> bool:
        return self._unpacker.eof

    @property
    def unused_data(self) -> bytes:
        return self._unpacker.unused_data

    def feed(self, packed: bytes) -> Iterator[bytes]:
        while True:
            piece = self._unpacker.decompress(packed, _PIECE_BYTES)
            packed = b""
            if piece:
                yield piece
            if self.eof or self._unpacker.needs_input:
                return


_MEMBERS: dict[str, type[_GzipMember | _ZstdMember]] = {"gzip": _GzipMember, "zstd": _ZstdMember}


class Packing:
    """`feed` plain bytes in order, then `end`: one member."""

    def __init__(self, compression: Compression) -> None:
        gzipped = compression == "gzip"
        self._packer = zlib.compressobj(_LEVEL, wbits=_GZIP) if gzipped else zstd.ZstdCompressor(_LEVEL)

    def feed(self, plain: bytes) -> bytes:
        return self._packer.compress(plain)

    def end(self) -> bytes:
        return self._packer.flush()


def packed(plain: bytes, compression: Compression) -> bytes:
    """Something small at once. It holds no time, so it is the same in every run."""
    if compression == "none":
        return plain
    return gzip.compress(plain, mtime=0) if compression == "gzip" else zstd.compress(plain)
