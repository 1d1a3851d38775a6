"""How jobs and parts lie in the table `processing-results`: their attributes."""

import json
from collections.abc import Mapping
from typing import Any

from services.processor.domain.fingerprint import canonical_json
from services.processor.domain.job_names import JobRequest, listing_key
from services.processor.domain.jobs import Job, Lease, ListedJob
from services.processor.domain.outcomes import Counts, JobError, JobState, Outcome
from services.processor.stores.job_keys import META, job_key_of, job_pk, shard_of

VERSION = 1
NEW_LEASE = "lease_before_ms = if_not_exists(lease_until_ms, :none), lease_until_ms = :until"
"""A lease that is given remembers the one before: DynamoDB reads all of an update's operands before it writes."""

_COUNTS = ("records_in", "records_out", "records_rejected", "bytes_in", "bytes_out")


def new_job_item(job: Job, *, sweep_at_ms: int, expires_at: int) -> dict[str, Any]:
    """META of a job that was just accepted."""
    return {
        "pk": job_pk(job.key),
        "sk": META,
        "v": VERSION,
        "owner": job.key.owner,
        "processing_id": job.key.processing_id,
        "listing": listing_key(job.submitted_at_ms, job.key.processing_id),
        "state": job.state.value,
        "fingerprint": job.request.fingerprint,
        "request": job.request.text,
        "submitted_at_ms": job.submitted_at_ms,
        "context": job.context,
        "traceparent": job.traceparent,
        "open_shard": shard_of(job.key),
        "sweep_at_ms": sweep_at_ms,
        "open_owner": job.key.owner,
        "expires_at": expires_at,
    }


def outcome_attributes(outcome: Outcome) -> dict[str, Any]:
    """What META says of a job's end."""
    error = outcome.error
    return {
        "state": outcome.state.value,
        "finished_at_ms": outcome.finished_at_ms,
        "result_location": outcome.result_location,
        "job_attempts": outcome.attempts,
        "error": error and canonical_json({"code": error.code, "detail": error.detail, "details": dict(error.details)}),
        **counts_attributes(outcome.counts),
    }


def counts_attributes(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in _COUNTS}


def listed_from(item: Mapping[str, Any]) -> ListedJob:
    """What the index `by-owner` knows of a job."""
    state = JobState(item["state"])
    return ListedJob(item["processing_id"], item["submitted_at_ms"], state, _outcome_from(item, state))


def job_from(item: Mapping[str, Any]) -> Job:
    """The job of a META item."""
    request = json.loads(item["request"])
    state = JobState(item["state"])
    return Job(
        key=job_key_of(item["pk"]),
        request=JobRequest(request["data_source"], request["config"]),
        submitted_at_ms=item["submitted_at_ms"],
        context=item.get("context", ""),
        state=state,
        traceparent=item.get("traceparent", ""),
        lease=lease_from(item),
        parts=item.get("parts", 0),
        parts_at_once=item.get("parts_at_once", 0),
        second_parts=item.get("second_parts", 0),
        bytes_in=item.get("plan_bytes_in", 0),
        opened_at_ms=item.get("opened_at_ms", 0),
        outcome=_outcome_from(item, state),
    )


def lease_from(item: Mapping[str, Any]) -> Lease:
    took_over = item.get("lease_before_ms", 0) > 0
    return Lease(item.get("fence", 0), item.get("attempts", 0), item.get("lease_until_ms", 0), took_over)


def counts_from(item: Mapping[str, Any]) -> Counts:
    return Counts(*(item.get(name, 0) for name in _COUNTS))


def _outcome_from(item: Mapping[str, Any], state: JobState) -> Outcome | None:
    if "finished_at_ms" not in item:
        return None
    error = item.get("error")
    return Outcome(
        state=state,
        finished_at_ms=item["finished_at_ms"],
        counts=counts_from(item),
        attempts=item.get("job_attempts", 1),
        result_location=item.get("result_location"),
        error=JobError(**json.loads(error)) if error else None,
    )
