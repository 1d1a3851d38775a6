"""Give me my result in one piece, although it has several parts."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from services.processor.domain.combining import joining_of, split_parts_stand_alone
from services.processor.domain.formats import Encoding, encoding_from_json
from services.processor.domain.results import Result, ResultExpired
from services.processor.stores.job_files import JobFiles, PartGone


@dataclass(frozen=True, slots=True)
class Combined:
    """`pieces` are the bytes of the whole, in `encoding`; S3 is read while they are taken."""

    encoding: Encoding
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class CombineResult:
    files: JobFiles

    async def __call__(self, result: Result) -> Combined:
        """Begins to read: what is wrong from the start is known before anything is answered.

        Raises:
            ResultExpired: the first part is gone.
            PartsStandAlone: they can't be joined.
            Unavailable: S3 does not answer.
        """
        if result.split_by:
            raise split_parts_stand_alone(result.split_by)
        manifest: dict[str, Any] = dict(result.manifest)
        encoding = encoding_from_json(manifest["plan"]["output"])
        pieces = self._pieces(encoding, [part["key"] for part in manifest["parts"]])
        try:
            first = await anext(pieces, b"")
        except PartGone:
            raise ResultExpired(result.processing_id) from None
        return Combined(encoding, _behind(first, pieces))

    async def _pieces(self, encoding: Encoding, object_keys: list[str]) -> AsyncIterator[bytes]:
        joining = joining_of(encoding, len(object_keys))
        for object_key in object_keys:
            async with aclosing(self.files.pieces(object_key)) as part:
                async for content in part:
                    for piece in joining.feed(content):
                        yield piece
            for piece in joining.end_part():
                yield piece
        for piece in joining.end():
            yield piece


async def _behind(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece
