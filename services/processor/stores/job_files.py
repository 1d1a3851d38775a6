"""What a job leaves in S3: its plan, its parts, its manifest. Nothing is ever overwritten.

Each method raises `Unavailable` when S3 does not answer.
"""

import asyncio
import base64
import contextlib
import hashlib
import os
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientError as BrokenAnswer
from botocore.exceptions import ClientError

from services.processor.domain.job_names import JobKey
from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import S3Client
from shared.errors import Unavailable

MOST_AT_ONCE_BYTES = 64 * 1024 * 1024
"""Up to this size one PUT is the quickest; larger parts go up in chunks."""

CHUNK_BYTES = 16 * 1024 * 1024
CHUNKS_AT_ONCE = 3
_EXISTS = {"PreconditionFailed", "412"}
_RACED = {"ConditionalRequestConflict", "409", "OperationAborted"}
_MISSING = {"NoSuchKey", "404", "NotFound"}
_TRIES = 5
_PIECE_BYTES = 64 * 1024


class PartGone(Exception):  # noqa: N818 - it states the fact
    """The object's time had come."""


@dataclass(frozen=True, slots=True)
class JobFiles:
    s3: S3Client
    bucket: str

    async def decide_plan(self, key: JobKey, text: str) -> bytes:
        """Write the plan, if the job has none. Gives the plan that holds."""
        return await self._decide(f"{key.folder}plan.json", text)

    async def decide_manifest(self, key: JobKey, text: str) -> bytes:
        """Write the manifest, if the job has none: the one commit. Gives the manifest that holds."""
        return await self._decide(f"{key.folder}manifest.json", text)

    async def plan(self, key: JobKey) -> bytes | None:
        return await self.read(f"{key.folder}plan.json")

    async def manifest(self, key: JobKey) -> bytes | None:
        return await self.read(f"{key.folder}manifest.json")

    async def put_part(self, object_key: str, path: Path, *, content_type: str, sha256: str) -> None:
        """Store a part's bytes under the key that names them, unless they are there; S3 checks a small part's hash."""
        size = (await asyncio.to_thread(path.stat)).st_size
        if size <= MOST_AT_ONCE_BYTES:
            content = await asyncio.to_thread(path.read_bytes)
            await self._put_if_absent(object_key, content, content_type, bytes.fromhex(sha256))
        elif await self._size_of(object_key) != size:
            await self._put_in_chunks(object_key, path, size, content_type)

    async def put_text(self, object_key: str, text: str, *, sha256: str) -> None:
        """The same for a small JSON text."""
        await self._put_if_absent(object_key, text.encode(), "application/json", bytes.fromhex(sha256))

    async def read(self, object_key: str) -> bytes | None:
        """A small object; None if there is none."""
        try:
            with aws_errors("S3"):
                answer = await self.s3.get_object(Bucket=self.bucket, Key=object_key)
                async with answer["Body"] as body:
                    content: bytes = await body.read()
                    return content
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise

    async def pieces(self, object_key: str) -> AsyncGenerator[bytes, None]:
        """A part's bytes, a few at a time.

        Raises:
            PartGone: there is no such object any more.
            Unavailable: S3 does not answer, or breaks off.
        """
        try:
            with aws_errors("S3"):
                answer = await self.s3.get_object(Bucket=self.bucket, Key=object_key)
                async with answer["Body"] as body:
                    while piece := await body.content.read(_PIECE_BYTES):
                        yield piece
        except BrokenAnswer as error:
            raise Unavailable("S3 broke off its answer. Ask again.") from error
        except ClientError as error:
            if error_code(error) in _MISSING:
                raise PartGone from None
            raise

    async def _decide(self, object_key: str, text: str) -> bytes:
        content = text.encode()
        if await self._put_if_absent(object_key, content, "application/json", hashlib.sha256(content).digest()):
            return content
        winner = await self.read(object_key)
        if winner is None:
            message = f"{object_key} was there and is gone"
            raise RuntimeError(message)
        return winner

    async def _put_if_absent(self, object_key: str, content: bytes, content_type: str, sha256: bytes) -> bool:
        """False when there is one already. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html."""
        return await _unless_exists(
            lambda: self.s3.put_object(
                Bucket=self.bucket,
                Key=object_key,
                Body=content,
                ContentType=content_type,
                ChecksumSHA256=base64.b64encode(sha256).decode(),
                IfNoneMatch="*",
            )
        )

    async def _size_of(self, object_key: str) -> int | None:
        try:
            with aws_errors("S3"):
                head = await self.s3.head_object(Bucket=self.bucket, Key=object_key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        return head["ContentLength"]

    async def _put_in_chunks(self, object_key: str, path: Path, size: int, content_type: str) -> None:
        with aws_errors("S3"):
            begun = await self.s3.create_multipart_upload(Bucket=self.bucket, Key=object_key, ContentType=content_type)
        upload: dict[str, Any] = {"Bucket": self.bucket, "Key": object_key, "UploadId": begun["UploadId"]}
        completed = False
        try:
            chunks = await self._upload_chunks(upload, path, size)
            completed = await _unless_exists(
                lambda: self.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": chunks}, IfNoneMatch="*")
            )
        finally:
            if not completed:
                await self._abort(upload)

    async def _abort(self, upload: dict[str, Any]) -> None:
        """What is left over all the same is removed by the bucket's lifecycle rule."""
        with contextlib.suppress(Unavailable, ClientError), aws_errors("S3"):
            await self.s3.abort_multipart_upload(**upload)

    async def _upload_chunks(self, upload: dict[str, Any], path: Path, size: int) -> list[Any]:
        starts = range(0, size, CHUNK_BYTES)
        etags: dict[int, str] = {}
        waiting = iter(enumerate(starts, start=1))
        file = os.open(path, os.O_RDONLY)

        async def upload_some() -> None:
            for number, start in waiting:
                content = await asyncio.to_thread(os.pread, file, CHUNK_BYTES, start)
                with aws_errors("S3"):
                    answer = await self.s3.upload_part(**upload, PartNumber=number, Body=content)
                etags[number] = answer["ETag"]

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(CHUNKS_AT_ONCE, len(starts))):
                    group.create_task(upload_some())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            os.close(file)
        return [{"PartNumber": number, "ETag": etags[number]} for number in sorted(etags)]


async def _unless_exists(call: Any) -> bool:  # noqa: ANN401 - a function that makes a call of the client
    for attempt in range(_TRIES):
        try:
            with aws_errors("S3"):
                answer: Awaitable[object] = call()
                await answer
        except ClientError as error:
            if error_code(error) in _EXISTS:
                return False
            # Somebody writes the same key at this moment: whoever asks again learns who won.
            if error_code(error) not in _RACED or attempt == _TRIES - 1:
                raise
            await asyncio.sleep(0.05 * 2**attempt)
        else:
            return True
    raise AssertionError("unreachable: the last try returns or raises")
