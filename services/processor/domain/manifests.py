"""The manifest: what became of a job. It is written once, and the job has ended the moment it is there.

By it alone a result can be verified, and the job's record can be made again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from services.processor.domain.fingerprint import canonical_json
from services.processor.domain.jobs import Job
from services.processor.domain.outcomes import Counts, JobError, JobState, Outcome
from services.processor.domain.part_results import PartResult, counts_of, part_key, rejected_key
from services.processor.domain.plans import Plan
from services.processor.domain.splits import Split, split_key
from shared import clock

VERSION = 1


def completed(
    job: Job,
    plan: Plan,
    parts: Sequence[PartResult],
    splits: Mapping[int, Sequence[Split]],
    *,
    bucket: str,
    attempts: int,
    finished_at_ms: int,
) -> dict[str, object]:
    """The manifest of a job whose parts are all done; `parts` in order, the second stage's last.

    `splits` are the objects of each part that has several.
    """
    before = len(parts) - plan.second_parts if plan.second_parts else 0
    named = [one for part in parts for one in _named(job, plan, part, splits.get(part.part, ()))]
    is_one = len(parts) - before == 1 and not plan.partition_by
    location = named[-1]["key"] if is_one else f"{job.key.folder}data/"
    outcome = Outcome(JobState.COMPLETED, finished_at_ms, counts_of(parts, job), attempts, f"s3://{bucket}/{location}")
    rejected = [
        part.rejected.to_json(rejected_key(job, part.part, part.rejected.sha256), part.counts)
        for part in parts
        if part.rejected is not None
    ]
    return {
        **_manifest(job, outcome),
        "plan": plan.to_json(),
        "first_stage": named[:before],
        "parts": named[before:],
        "rejected": rejected,
    }


def _named(job: Job, plan: Plan, part: PartResult, splits: Sequence[Split]) -> list[dict[str, object]]:
    """The objects that a part has made."""
    if plan.splits(part.part):
        return [split.to_json(split_key(job, plan, part.part, split), plan.partition_by) for split in splits]
    return [part.to_json(part_key(job, plan, part.part, part.sha256))]


def failed(job: Job, error: JobError, *, attempts: int, finished_at_ms: int) -> dict[str, object]:
    """The manifest of a job that can't be done."""
    return _manifest(job, Outcome(JobState.FAILED, finished_at_ms, attempts=attempts, error=error))


def cancelled(job: Job, error: JobError, *, attempts: int, finished_at_ms: int) -> dict[str, object]:
    """The manifest of a job that is not to be done any more. It names no parts, whatever was done of them."""
    return _manifest(job, Outcome(JobState.CANCELLED, finished_at_ms, attempts=attempts, error=error))


def manifest_text(manifest: dict[str, object]) -> str:
    return canonical_json(manifest)


def parse_manifest(text: str | bytes) -> dict[str, object]:
    """The other way of `manifest_text`; only ever of our own."""
    manifest: dict[str, object] = json.loads(text)
    return manifest


def outcome_of(manifest: dict[str, object]) -> Outcome:
    """How the job ended."""
    values = json.loads(json.dumps(manifest))
    error = values["error"]
    return Outcome(
        state=JobState(values["status"]),
        finished_at_ms=round(datetime.fromisoformat(values["finished_at"]).timestamp() * 1000),
        counts=Counts(**values["counts"]),
        attempts=values["attempts"],
        result_location=values["result_location"],
        error=JobError(**error) if error else None,
    )


def _manifest(job: Job, outcome: Outcome) -> dict[str, object]:
    return {
        "version": VERSION,
        "owner": job.key.owner,
        "processing_id": job.key.processing_id,
        "status": outcome.state.value,
        "submitted_at": clock.rfc3339(job.submitted_at_ms / 1000),
        "finished_at": clock.rfc3339(outcome.finished_at_ms / 1000),
        "request": {
            "sha256": job.request.fingerprint,
            "data_source": job.request.data_source,
            "config": job.request.config,
        },
        "attempts": outcome.attempts,
        "counts": asdict(outcome.counts),
        "result_location": outcome.result_location,
        "error": asdict(outcome.error) if outcome.error else None,
    }
