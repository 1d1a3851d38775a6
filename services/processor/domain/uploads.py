"""Names of files that clients bring, and where they may be put."""

import re
from dataclasses import dataclass

from shared.errors import FieldError, ValidationFailed

MOST_UPLOAD_BYTES = 5 * 1024**3
"""The largest object that one PUT can write to S3."""

_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ ()+=@-]{0,199}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewUpload:
    """A PUT to `url` with `headers`, until `expires_at` (Unix seconds), makes the object that `data_source` names."""

    data_source: str
    url: str
    headers: dict[str, str]
    expires_at: float


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
