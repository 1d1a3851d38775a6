"""A client wants to bring records."""

from dataclasses import dataclass

from services.processor.domain.job_names import owner_segment
from services.processor.domain.uploads import NewUpload, PartUpload, parse_filename, part_sizes
from services.processor.settings import ProcessorSettings
from services.processor.stores.large_uploads import LargeUploads
from services.processor.stores.links import Links
from shared import clock
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class StartUpload:
    links: Links
    large_uploads: LargeUploads
    settings: ProcessorSettings
    now: clock.Clock

    async def __call__(self, owner: str, raw_filename: str, *, content_type: str | None, size: int | None) -> NewUpload:
        """A place of its own below the owner's inputs, and a URL to PUT one object there, or one for each part of it.

        Raises:
            ValidationFailed: the name is not fit for a key.
            Unavailable: it is large, and S3 does not answer.
        """
        object_key = f"inputs/{owner_segment(owner)}/{new_id('upl')}/{parse_filename(raw_filename)}"
        seconds = self.settings.upload_url_seconds
        expires_at = self.now() + seconds
        data_source = f"s3://{self.settings.bucket}/{object_key}"
        if size is not None and size > self.settings.single_upload_bytes:
            sizes = part_sizes(size, least=self.settings.upload_part_bytes)
            upload_id, urls = await self.large_uploads.begin(
                object_key, content_type=content_type, parts=len(sizes), seconds=seconds
            )
            parts = [PartUpload(part, *each) for part, each in enumerate(zip(urls, sizes, strict=True), start=1)]
            return NewUpload(data_source, expires_at, parts=parts, upload_id=upload_id)
        link = await self.links.upload(object_key, content_type=content_type, size=size, seconds=seconds)
        return NewUpload(data_source, expires_at, link.url, link.headers)
