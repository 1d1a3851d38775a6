"""The answer to a submitted job."""

import json
from typing import Any

from services.processor.domain.job_names import JobKey, JobRequest
from services.processor.domain.jobs import Job
from services.processor.domain.outcomes import Counts, JobError, JobState, Outcome
from services.processor.domain.preferences import Preference
from services.processor.routes.process_answer import answer_process

NO_WISH = Preference(5, None)


def job(outcome: Outcome | None) -> Job:
    return Job(JobKey("usr_ada", "j"), JobRequest("test", {}), 1000, outcome=outcome)


def answer(outcome: Outcome | None) -> tuple[int, dict[str, Any]]:
    response = answer_process(job(outcome), NO_WISH)
    assert response.headers["location"] == "/api/status/j"
    return response.status_code, json.loads(bytes(response.body))


def test_a_job_that_goes_on_is_202() -> None:
    assert answer(None) == (
        202,
        {"success": True, "processing_id": "j", "status": "accepted", "status_url": "/api/status/j"},
    )


def test_a_job_that_is_done_is_200_with_the_fields_that_clients_know() -> None:
    outcome = Outcome(JobState.COMPLETED, 1042, Counts(9, 7), result_location="s3://b/k")
    assert answer(outcome) == (
        200,
        {
            "success": True,
            "processing_id": "j",
            "result_location": "s3://b/k",
            "metadata": {"processed_records": 7, "processing_time_ms": 42},
        },
    )


def test_a_failure_of_the_request_is_422_and_keeps_its_code_places_and_record() -> None:
    details = {"errors": [{"pointer": "/config/stamp", "detail": "no"}], "object": "s3://b/k", "record": 10}
    status, problem = answer(Outcome(JobState.FAILED, 1042, error=JobError("bad-record", "it is bad", details)))
    assert status == 422
    assert (problem["code"], problem["detail"], problem["errors"]) == ("bad-record", "it is bad", details["errors"])
    assert (problem["object"], problem["record"], problem["processing_id"]) == ("s3://b/k", 10, "j")


def test_a_failure_of_ours_is_500() -> None:
    status, problem = answer(Outcome(JobState.FAILED, 1042, error=JobError("part-failed", "tried in vain")))
    assert (status, problem["code"], problem["processing_id"]) == (500, "part-failed", "j")
