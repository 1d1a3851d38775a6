"""How jobs are named, and what was asked for under a name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from services.processor.domain.fingerprint import canonical_json, fingerprint
from shared.errors import Conflict, FieldError, NotFound, ValidationFailed

PROCESSING_ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_PROCESSING_ID = re.compile(PROCESSING_ID_PATTERN, re.ASCII)
LISTING_KEY = re.compile(rf"[0-9]{{13}}#{PROCESSING_ID_PATTERN}", re.ASCII)


class JobNotFound(NotFound):
    """There is no such job, or it is another owner's: nobody learns which."""

    code, title = "job-not-found", "There is no such job"


class JobConflict(Conflict):
    """The name is taken by another request of the same owner."""

    code, title = "job-conflict", "There is another job of that name"


@dataclass(frozen=True, slots=True)
class JobKey:
    """A job's name: its owner's user id, and the processing id, which is the owner's own."""

    owner: str
    processing_id: str

    @property
    def folder(self) -> str:
        """The prefix of all its S3 keys. An owner is one path segment, whatever is in their id."""
        return f"jobs/{owner_segment(self.owner)}/{self.processing_id}/"


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a client asked for, after its syntax was checked. Equal requests have equal fingerprints."""

    data_source: object
    config: Mapping[str, object]

    @property
    def text(self) -> str:
        return canonical_json({"data_source": self.data_source, "config": self.config})

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.text)


def owner_segment(owner: str) -> str:
    """A user id as one segment of an S3 key: no slash, no dots alone, and no two users share one."""
    segment = quote(owner, safe="")
    return segment if segment.strip(".") else segment.replace(".", "%2E")


def parse_processing_id(raw_id: str, pointer: str) -> str:
    """A name that is safe as an S3 key's segment and in a URL.

    Raises:
        ValidationFailed: it is none; names `pointer` and what would be right.
    """
    if _PROCESSING_ID.fullmatch(raw_id) is None or ".." in raw_id:
        detail = (
            f"{pointer.strip('/')}: 1 to 128 letters, digits, dots, dashes and underscores, "
            'the first a letter or digit, no ".."'
        )
        raise ValidationFailed(detail, errors=[FieldError(pointer, detail)])
    return raw_id


def listing_key(submitted_at_ms: int, processing_id: str) -> str:
    """A job's place in its owner's list: by time, then by name."""
    return f"{submitted_at_ms:013d}#{processing_id}"
