"""A job's inputs in S3: found once, pinned to their versions, and then read in those versions or not at all."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientError as BrokenAnswer
from botocore.exceptions import ClientError, IncompleteReadError

from services.processor.domain.input_errors import SourceChanged, SourceMissing
from services.processor.domain.parquet_footers import footer_bytes
from services.processor.domain.pinned_sources import PinnedObject, Slice
from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import S3Client
from shared.errors import Unavailable

RANGE_BYTES = 8 * 1024 * 1024
RANGES_AT_ONCE = 4
_ENDING_BYTES = 256 * 1024
_TRIES = 4
_FIRST_PAUSE_SECONDS = 0.2
_MISSING = {"NoSuchKey", "NoSuchBucket", "404", "NotFound", "NoSuchVersion"}
_FORBIDDEN = {"AccessDenied", "403", "Forbidden", "AllAccessDisabled", "InvalidObjectState"}
_CHANGED = {"PreconditionFailed", "412"}
_EMPTY = {"InvalidRange", "416"}


@dataclass(frozen=True, slots=True)
class Inputs:
    s3: S3Client

    async def begin(self, bucket: str, key: str, *, most_bytes: int) -> tuple[PinnedObject, bytes]:
        """Pin one object and read its beginning, in one call.

        Raises:
            SourceMissing: there is none, or it can't be read.
            Unavailable: S3 does not answer.
        """
        name = f"s3://{bucket}/{key}"
        try:
            with _reading(name):
                answer = await self.s3.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{most_bytes - 1}")
                async with answer["Body"] as body:
                    content = await body.read()
        except EmptyObject:
            return await self.pin(bucket, key), b""
        size = int(answer.get("ContentRange", f"/{len(content)}").rpartition("/")[2])
        return PinnedObject(bucket, key, answer["ETag"], size), content

    async def footer(self, source: PinnedObject) -> bytes:
        """The last bytes of a Parquet object, its footer among them.

        Raises as `download` does, and RecordError for a footer that is larger than any should be.
        """
        ending = await self.read(source, max(0, source.size - _ENDING_BYTES), source.size)
        needed = footer_bytes(ending, source.name)
        if len(ending) < needed <= source.size:
            ending = await self.read(source, source.size - needed, source.size)
        return ending

    async def pin(self, bucket: str, key: str) -> PinnedObject:
        """What is there now. Raises as `begin` does."""
        with _reading(f"s3://{bucket}/{key}"):
            head = await self.s3.head_object(Bucket=bucket, Key=key)
        return PinnedObject(bucket, key, head["ETag"], head["ContentLength"])

    async def below(self, bucket: str, prefix: str) -> AsyncIterator[PinnedObject]:
        """Every object whose key starts with `prefix`, in the order of S3's listing: by UTF-8 bytes."""
        start: dict[str, str] = {}
        while True:
            with _reading(f"s3://{bucket}/{prefix}"):
                page = await self.s3.list_objects_v2(
                    Bucket=bucket,
                    Prefix=prefix,
                    **start,  # type: ignore[arg-type]  # one optional argument
                )
            for found in page.get("Contents", []):
                yield PinnedObject(bucket, found["Key"], found["ETag"], found["Size"])
            if "NextContinuationToken" not in page:
                return
            start = {"ContinuationToken": page["NextContinuationToken"]}

    async def download(self, source: PinnedObject, piece: Slice, path: Path) -> None:
        """Write a slice of the pinned bytes to a file, a few ranges at once; memory does not grow with it.

        One that has a tail stands where it stands in the object, behind a hole, and the tail is not written.

        Raises:
            SourceChanged, SourceMissing: these bytes are not there any more.
            Unavailable: S3 did not answer, several times.
        """
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            ranges = [*_ranges(0, piece.head), *_ranges(piece.start, piece.end)]
            todo = iter(ranges)
            async with asyncio.TaskGroup() as group:
                for _ in range(min(RANGES_AT_ONCE, len(ranges))):
                    group.create_task(self._copy_ranges(source, piece, todo, file))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            os.close(file)

    async def chunks(self, source: PinnedObject) -> AsyncIterator[bytes]:
        """The pinned bytes from the first to the last. Raises as `download` does."""
        for start, end in _ranges(0, source.size):
            yield await self.read(source, start, end)

    async def _copy_ranges(
        self, source: PinnedObject, piece: Slice, ranges: Iterator[tuple[int, int]], file: int
    ) -> None:
        for start, end in ranges:
            content = await self.read(source, start, end)
            moved = 0 if start < piece.head or piece.tail else piece.head - piece.start
            await asyncio.to_thread(_write_at, file, content, start + moved)

    async def read(self, source: PinnedObject, start: int, end: int) -> bytes:
        """The pinned bytes from `start` to before `end`. Raises as `download` does."""
        for attempt in range(_TRIES):
            try:
                return await self._range_once(source, start, end)
            except Unavailable:
                if attempt == _TRIES - 1:
                    raise
                pause = _FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
                await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    async def _range_once(self, source: PinnedObject, start: int, end: int) -> bytes:
        pinned = {"IfMatch": source.etag} if source.etag else {}
        with _reading(source.name):
            answer = await self.s3.get_object(
                Bucket=source.bucket,
                Key=source.key,
                Range=f"bytes={start}-{end - 1}",
                **pinned,  # type: ignore[arg-type]  # one optional argument
            )
            async with answer["Body"] as body:
                content: bytes = await body.read()
        if len(content) != end - start:
            raise SourceChanged(source.name)
        return content


class EmptyObject(Exception):  # noqa: N818 - it states the fact
    """A range of an object that has no bytes."""


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        with aws_errors("S3"):
            yield
    except (IncompleteReadError, BrokenAnswer) as error:
        raise Unavailable("S3 broke off its answer. Ask again.") from error
    except ClientError as error:
        code = error_code(error)
        if code in _MISSING:
            raise SourceMissing(name, "there is no such object") from None
        if code in _FORBIDDEN:
            raise SourceMissing(name, "it may not be read") from None
        if code in _CHANGED:
            raise SourceChanged(name) from None
        if code in _EMPTY:
            raise EmptyObject from None
        raise


def _ranges(start: int, end: int) -> list[tuple[int, int]]:
    return [(at, min(at + RANGE_BYTES, end)) for at in range(start, end, RANGE_BYTES)]


def _write_at(file: int, content: bytes, start: int) -> None:
    rest = memoryview(content)
    while rest:
        written = os.pwrite(file, rest, start)
        rest, start = rest[written:], start + written
