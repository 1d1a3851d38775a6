"""Names of files that clients bring, where they may be put, and in how many parts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.errors import Conflict, FieldError, NotFound, ValidationFailed

MOST_PUT_BYTES = 5 * 1024**3
"""The most that one PUT can write to S3."""
MOST_UPLOAD_BYTES = 5 * 1024**4
"""The largest object in S3."""
LEAST_PART_BYTES = 5 * 1024**2
"""Only the last part of an upload may be smaller (Amazon S3 multipart upload limits)."""
_MOST_PARTS = 2000
_MEBIBYTE = 1024**2

_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ ()+=@-]{0,199}", re.ASCII)


class UploadNotFound(NotFound):
    """There is no such upload, or it is another owner's: nobody learns which."""

    code, title = "upload-not-found", "There is no such upload"

    def __init__(self) -> None:
        super().__init__(
            "You have no upload of this data_source and upload_id. POST /api/uploads begins one; one that is not "
            "completed within a day is gone."
        )


class UploadIncomplete(Conflict):
    """Parts are missing, or one that is not the last is too small."""

    code, title = "upload-incomplete", "The upload is not complete"

    def __init__(self, missing: Sequence[int]) -> None:
        named = ", ".join(map(str, missing[:20])) + (", and more" if len(missing) > 20 else "")  # noqa: PLR2004
        what = f"parts {named} are missing" if missing else "a part that is not the last is smaller than 5 MiB"
        super().__init__(f"{what[0].upper()}{what[1:]}: PUT them to their URLs, then ask again.")


@dataclass(frozen=True, slots=True)
class PartUpload:
    """A PUT of `size` bytes to `url` brings part `part` of an object, counted from 1."""

    part: int
    url: str
    size: int


@dataclass(frozen=True, slots=True)
class NewUpload:
    """How to bring the object that `data_source` names, until `expires_at` (Unix seconds).

    A PUT to `url` with `headers` makes it; or PUTs of all `parts`, and then the completion of `upload_id`.
    """

    data_source: str
    expires_at: float
    url: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    parts: Sequence[PartUpload] = ()
    upload_id: str | None = None


def part_sizes(size: int, *, least: int) -> Sequence[int]:
    """The bytes of each part of an upload: whole MiB, all alike but the last, at most 2,000 of them."""
    whole = max(least, -(-size // _MOST_PARTS))
    whole = -(-whole // _MEBIBYTE) * _MEBIBYTE
    return [min(whole, size - start) for start in range(0, size, whole)]


def parse_filename(raw_filename: str) -> str:
    """One segment of a key, fit for any shell and any system.

    Raises:
        ValidationFailed: it is not.
    """
    if _FILENAME.fullmatch(raw_filename) is None or ".." in raw_filename or raw_filename.endswith((" ", ".")):
        detail = (
            "filename: 1 to 200 letters, digits, blanks and ._()+=@- without a path, the first a letter or digit, "
            'no "..", such as "orders.ndjson.gz"'
        )
        raise ValidationFailed(detail, errors=[FieldError("/filename", detail)])
    return raw_filename
