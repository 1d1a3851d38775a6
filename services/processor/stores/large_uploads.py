"""Uploads of one object in several parts, which S3 puts together when all are there.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html. What is never completed is removed by the
bucket's lifecycle rule.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from services.processor.domain.uploads import UploadIncomplete, UploadNotFound
from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import S3Client

_UNKNOWN = {"NoSuchUpload", "NoSuchKey", "404", "NotFound", "InvalidArgument"}
_TOO_SMALL = "EntityTooSmall"


@dataclass(frozen=True, slots=True)
class LargeUploads:
    """`signer` signs for the address that clients reach. Each method raises `Unavailable` when S3 does not answer."""

    s3: S3Client
    signer: S3Client
    bucket: str

    async def begin(
        self, object_key: str, *, content_type: str | None, parts: int, seconds: int
    ) -> tuple[str, Sequence[str]]:
        """The upload's id, and for each of its parts a URL to PUT to."""
        more: dict[str, Any] = {} if content_type is None else {"ContentType": content_type}
        with aws_errors("S3"):
            begun = await self.s3.create_multipart_upload(Bucket=self.bucket, Key=object_key, **more)
        upload = self._upload(object_key, begun["UploadId"])
        urls = (
            self.signer.generate_presigned_url("upload_part", {**upload, "PartNumber": number}, ExpiresIn=seconds)
            for number in range(1, parts + 1)
        )
        return begun["UploadId"], await asyncio.gather(*urls)

    async def complete(self, object_key: str, upload_id: str, *, parts: int) -> int:
        """Put its parts together, if that was not done before. Gives the object's bytes.

        Raises:
            UploadNotFound: there is none of that id.
            UploadIncomplete: not all parts are there, or one that is not the last is too small.
        """
        upload = self._upload(object_key, upload_id)
        try:
            found = await self._parts(upload)
            missing = sorted(set(range(1, parts + 1)) - found.keys())
            if missing:
                raise UploadIncomplete(missing)
            wanted: Any = [{"PartNumber": number, "ETag": found[number][0]} for number in range(1, parts + 1)]
            with aws_errors("S3"):
                await self.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": wanted})
        except ClientError as error:
            if error_code(error) == _TOO_SMALL:
                raise UploadIncomplete([]) from None
            if error_code(error) not in _UNKNOWN:
                raise
            return await self._size_of(object_key)  # it was completed before, or there is none
        return sum(found[number][1] for number in range(1, parts + 1))

    async def _parts(self, upload: dict[str, Any]) -> dict[int, tuple[str, int]]:
        """ETag and bytes of each part that is there."""
        found: dict[int, tuple[str, int]] = {}
        with aws_errors("S3"):
            async for page in self.s3.get_paginator("list_parts").paginate(**upload):
                found |= {part["PartNumber"]: (part["ETag"], part["Size"]) for part in page.get("Parts", [])}
        return found

    async def _size_of(self, object_key: str) -> int:
        try:
            with aws_errors("S3"):
                return (await self.s3.head_object(Bucket=self.bucket, Key=object_key))["ContentLength"]
        except ClientError as error:
            if error_code(error) not in _UNKNOWN:
                raise
            raise UploadNotFound from None

    def _upload(self, object_key: str, upload_id: str) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": object_key, "UploadId": upload_id}
