"""Which parts of a running job are to be asked for, by whoever knows what has become of the others."""

from collections.abc import Sequence

from services.processor.domain.jobs import Job
from services.processor.domain.progress import PartRecord


def missing_parts(job: Job, records: Sequence[PartRecord], *, now_ms: int) -> tuple[int, ...]:
    """Parts of a running job that nobody works on, and may be asked for; the first if only the commit is missing."""
    done = {record.part for record in records if record.result is not None}
    if len(done) == job.parts:
        return (0,)
    busy = {record.part for record in records if record.part not in done and record.lease.is_held(now_ms)}
    missing = [part for part in range(job.parts) if part not in done | busy]
    return tuple(missing[: max((job.parts_at_once or job.parts) - len(busy), 0)])


def part_after(job: Job, part: int, records: Sequence[PartRecord]) -> int | None:
    """The part that is asked for when this one is done; None where there is none, or somebody has begun it."""
    following = part + (job.parts_at_once or job.parts)
    begun = any(record.part == following for record in records)
    return None if begun or following >= job.parts else following
