"""What the parts of a job have made, and under which keys: whoever makes the same bytes writes to the same place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.processor.domain.formats import NDJSON
from services.processor.domain.jobs import Job
from services.processor.domain.outcomes import Counts
from services.processor.domain.plans import Plan


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """The records that a part left out, each with the reason: NDJSON, by its bytes."""

    sha256: str
    bytes: int

    def to_json(self, key: str, counts: Counts) -> dict[str, object]:
        return {"key": key, "sha256": self.sha256, "bytes": self.bytes, "records": counts.records_rejected}


@dataclass(frozen=True, slots=True)
class PartResult:
    """One finished part, by its bytes; where these lie follows from it, and is read nowhere.

    Of a result that is split `sha256` is that of the list of its objects, and `counts` are those of all.
    """

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


def part_key(job: Job, plan: Plan, part: int, sha256: str) -> str:
    """Where a part's bytes lie, or the list of them."""
    if plan.splits(part):
        return f"{job.key.folder}splits/part-{part:05d}-{sha256}.json"
    kind, suffix = "rows" if plan.keeps_rows(part) else "data", plan.encoding_of(part).suffix
    return f"{job.key.folder}{kind}/part-{part:05d}-{sha256}{suffix}"


def rejected_key(job: Job, part: int, sha256: str) -> str:
    """The same for the records that a part left out."""
    return f"{job.key.folder}rejected/part-{part:05d}-{sha256}{NDJSON.suffixes[0]}"


def counts_of(results: Sequence[PartResult], job: Job) -> Counts:
    """What went into the parts that are done, and what came out; between two stages nothing does either."""
    goes_in = (one.counts for one in results if one.part < job.first_parts)
    comes_out = (one.counts for one in results if one.part >= job.first_parts or not job.second_parts)
    read, written = sum(goes_in, Counts()), sum(comes_out, Counts())
    return replace(read, records_out=written.records_out, bytes_out=written.bytes_out)


def first_stage_of(job: Job, results: Sequence[PartResult]) -> Sequence[PartResult] | None:
    """What the second stage works on; None until all of it is there. Of a job of one stage, what is committed."""
    first = [one for one in results if one.part < job.first_parts]
    return first if len(first) == job.first_parts else None
