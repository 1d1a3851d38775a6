"""A client wants to bring records."""

from dataclasses import dataclass

from services.processor.domain.job_names import owner_segment
from services.processor.domain.uploads import NewUpload, parse_filename
from services.processor.settings import ProcessorSettings
from services.processor.stores.links import Links
from shared import clock
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class StartUpload:
    links: Links
    settings: ProcessorSettings
    now: clock.Clock

    async def __call__(self, owner: str, raw_filename: str, *, content_type: str | None, size: int | None) -> NewUpload:
        """A place of its own below the owner's inputs, and a URL to PUT one object there.

        Raises:
            ValidationFailed: the name is not fit for a key.
        """
        object_key = f"inputs/{owner_segment(owner)}/{new_id('upl')}/{parse_filename(raw_filename)}"
        seconds = self.settings.upload_url_seconds
        expires_at = self.now() + seconds
        link = await self.links.upload(object_key, content_type=content_type, size=size, seconds=seconds)
        return NewUpload(f"s3://{self.settings.bucket}/{object_key}", link.url, link.headers, expires_at)
