"""Names and keys of the table `processing-results`.

META: one item a job. PART#00007: one item a part that was begun. `by-owner` lists a user's jobs by time; `open-jobs`
holds those that have not ended, by the time at which the sweeper looks after them, `open-by-owner` the same by user;
`outbox` holds those that have ended and of which nobody was told.

PIPELINES#owner: an item a stored pipeline, its sort key the name. They don't expire. Those that run by themselves are
in `open-jobs`, in a shard of their own, by the time at which a processor looks after them.
"""

import zlib

from services.processor.domain.job_names import JobKey

TABLE = "processing-results"
BY_OWNER = "by-owner"
OPEN_JOBS = "open-jobs"
OPEN_BY_OWNER = "open-by-owner"
OUTBOX = "outbox"
OPEN_SHARDS = ("0", "1", "2", "3")
TRIGGERED_PIPELINES = "pipelines"
META = "META"


def job_pk(key: JobKey) -> str:
    """No two jobs share one: a processing id holds no `#`."""
    return f"JOB#{key.owner}#{key.processing_id}"


def shard_of(key: JobKey) -> str:
    return OPEN_SHARDS[zlib.crc32(job_pk(key).encode()) % len(OPEN_SHARDS)]


def job_key_of(pk: str) -> JobKey:
    """The other way of `job_pk`: what an item's other attributes say of its owner is not asked."""
    owner, _, processing_id = pk.removeprefix("JOB#").rpartition("#")
    return JobKey(owner, processing_id)


def pipelines_pk(owner: str) -> str:
    return f"PIPELINES#{owner}"


def pipelines_owner_of(pk: str) -> str:
    """The other way of `pipelines_pk`."""
    return pk.removeprefix("PIPELINES#")


def part_sk(part: int) -> str:
    return f"PART#{part:05d}"
