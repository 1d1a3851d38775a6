"""Presigned S3 URLs: a link works for whoever holds it, for a short time, for one object and one method."""

from dataclasses import dataclass

from shared.clients.aws_types import S3Client


@dataclass(frozen=True, slots=True)
class Upload:
    """Where to PUT, and the headers that must go with it."""

    url: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Links:
    """`s3` signs for the address that clients reach. Nothing here asks S3."""

    s3: S3Client
    bucket: str

    async def upload(self, object_key: str, *, content_type: str | None, size: int | None, seconds: int) -> Upload:
        """A PUT of one object; type and size are signed where they are given."""
        headers: dict[str, str] = {}
        parameters: dict[str, object] = {"Bucket": self.bucket, "Key": object_key}
        if content_type is not None:
            headers["Content-Type"] = parameters["ContentType"] = content_type
        if size is not None:
            parameters["ContentLength"] = size
            headers["Content-Length"] = str(size)
        url = await self.s3.generate_presigned_url("put_object", Params=parameters, ExpiresIn=seconds)
        return Upload(url, headers)

    async def download(self, object_key: str, *, seconds: int) -> str:
        """A GET of one object."""
        return await self.s3.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": object_key}, ExpiresIn=seconds
        )
