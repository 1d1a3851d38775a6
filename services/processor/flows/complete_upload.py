"""A client has sent all parts of a large upload."""

from dataclasses import dataclass

from services.processor.domain.job_names import owner_segment
from services.processor.domain.uploads import UploadNotFound
from services.processor.stores.large_uploads import LargeUploads
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CompleteUpload:
    large_uploads: LargeUploads

    async def __call__(self, owner: str, data_source: str, upload_id: str, *, parts: int) -> int:
        """The object is whole from now on; its bytes. Asking again changes nothing.

        Raises:
            UploadNotFound, UploadIncomplete: as `LargeUploads.complete` has it; what is not the owner's is not found.
        """
        place = f"s3://{self.large_uploads.bucket}/"
        object_key = data_source.removeprefix(place)
        if not data_source.startswith(place) or not object_key.startswith(f"inputs/{owner_segment(owner)}/upl_"):
            raise UploadNotFound
        size = await self.large_uploads.complete(object_key, upload_id, parts=parts)
        log.info("upload_completed", parts=parts, bytes=size)
        return size
