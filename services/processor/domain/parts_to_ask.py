"""Which parts of a running job are to be asked for, by whoever knows what has become of the others."""

from collections.abc import Sequence

from services.processor.domain.jobs import Job
from services.processor.domain.progress import PartRecord


def missing_parts(job: Job, records: Sequence[PartRecord], *, now_ms: int) -> tuple[int, ...]:
    """Parts of a running job that nobody works on, and may be asked for; the first if only the commit is missing."""
    done = {record.part for record in records if record.result is not None}
    if len(done) == job.parts:
        return (0,)
    may_begin = job.parts if _first_stage_is_done(job, records) else job.first_parts
    busy = {record.part for record in records if record.part not in done and record.lease.is_held(now_ms)}
    missing = [part for part in range(may_begin) if part not in done | busy]
    return tuple(missing[: max((job.parts_at_once or job.parts) - len(busy), 0)])


def parts_after(job: Job, part: int, records: Sequence[PartRecord]) -> tuple[int, ...]:
    """The parts that are asked for when this one is done, unless somebody has begun them.

    In a first stage that is one as far behind as parts are asked for at once; when all of it is done, the second stage.
    """
    following: Sequence[int] = range(job.first_parts, job.parts)
    if not _first_stage_is_done(job, records):
        after = part + (job.parts_at_once or job.parts)
        following = range(after, min(after + 1, job.first_parts))
    begun = {record.part for record in records}
    return tuple(one for one in following if one not in begun)


def _first_stage_is_done(job: Job, records: Sequence[PartRecord]) -> bool:
    done = sum(record.result is not None for record in records if record.part < job.first_parts)
    return done == job.first_parts
