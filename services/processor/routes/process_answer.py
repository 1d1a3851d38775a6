"""The answer to a submitted job, which depends on whether it ended within the wait, and how."""

from fastapi import Response, status

from services.processor.domain.contexts import ContextRefused
from services.processor.domain.jobs import Job
from services.processor.domain.outcomes import JobState
from services.processor.domain.pipeline_errors import WorkFolderFull
from services.processor.domain.preferences import Preference
from services.processor.domain.results import JobCancelled
from services.processor.domain.work_errors import TriedTooOften, WaitedTooLong
from services.processor.flows.try_job import Trial
from services.processor.routes.trial_bodies import TrialResponse
from services.processor.schemas import AcceptedResponse, JobErrorResponse, ProcessResponse
from shared.errors import FieldError, Problem
from shared.web.problems import problem_response
from shared.web.schema import ResponseModel


class JobFailedInWait(Problem):
    """The job has failed within the wait. `code` is the error's own, such as `bad-record` or `source-missing`."""

    code, status, title = "job-failed", 422, "The job has failed"


def answer_process(job: Job, preference: Preference) -> Response:
    """200 with the result, 202, or the problem that ended the job. Always with `Location`."""
    headers = {"Location": f"/api/status/{job.key.processing_id}"}
    if preference.applied:
        headers["Preference-Applied"] = preference.applied
    if job.outcome is None:
        return _json(status.HTTP_202_ACCEPTED, AcceptedResponse.of(job), headers)
    if job.outcome.state is JobState.COMPLETED:
        return _json(status.HTTP_200_OK, ProcessResponse.of(job, job.outcome), headers)
    return problem_response(_problem(job, headers))


def answer_trial(trial: Trial) -> Response:
    return _json(status.HTTP_200_OK, TrialResponse.of(trial), {})


def _problem(job: Job, headers: dict[str, str]) -> Problem:
    assert job.outcome is not None  # noqa: S101 - asked before
    assert job.outcome.error is not None  # noqa: S101 - a failed or cancelled job has one
    error = JobErrorResponse.of(job.outcome.error)
    where = {"object": error.object, "record": error.record, "from_byte": error.from_byte, "column": error.column}
    return job_problem(error.code, job.outcome.state)(
        error.detail,
        errors=[FieldError(one["pointer"], one["detail"]) for one in error.errors],
        extensions={"processing_id": job.key.processing_id}
        | {name: value for name, value in where.items() if value is not None},
        headers=headers,
    )


def job_problem(error_code: str, state: JobState) -> type[Problem]:
    """A job's error as the problem that it is: the client's 422 (cancelled: 409); where the work failed, our 500."""
    for ours in (TriedTooOften, WaitedTooLong, ContextRefused, WorkFolderFull):
        if error_code == ours.code:
            return ours

    class Failed(JobFailedInWait):
        code = error_code

    class Cancelled(JobCancelled):
        code = error_code

    return Cancelled if state is JobState.CANCELLED else Failed


def _json(status_code: int, body: ResponseModel, headers: dict[str, str]) -> Response:
    return Response(body.model_dump_json(), status_code=status_code, headers=headers, media_type="application/json")
