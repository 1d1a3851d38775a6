"""What a part of a job has made, and under which keys: whoever makes the same bytes writes to the same place."""

from dataclasses import dataclass

from services.processor.domain.formats import NDJSON
from services.processor.domain.jobs import Job
from services.processor.domain.outcomes import Counts


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """The records that a part left out, each with the reason: NDJSON, by its bytes."""

    sha256: str
    bytes: int

    def to_json(self, key: str, counts: Counts) -> dict[str, object]:
        return {"key": key, "sha256": self.sha256, "bytes": self.bytes, "records": counts.records_rejected}


@dataclass(frozen=True, slots=True)
class PartResult:
    """One finished part, by its bytes; where these lie follows from it, and is read nowhere."""

    part: int
    sha256: str
    counts: Counts
    rejected: RejectedFile | None = None

    def to_json(self, key: str) -> dict[str, object]:
        return {
            "key": key,
            "sha256": self.sha256,
            "bytes": self.counts.bytes_out,
            "records": self.counts.records_out,
        }


def part_key(job: Job, part: int, sha256: str, suffix: str) -> str:
    """Where a part's bytes lie. `suffix` as in `.ndjson.gz`."""
    return f"{job.key.folder}data/part-{part:05d}-{sha256}{suffix}"


def rejected_key(job: Job, part: int, sha256: str) -> str:
    """The same for the records that a part left out."""
    return f"{job.key.folder}rejected/part-{part:05d}-{sha256}{NDJSON.suffixes[0]}"
