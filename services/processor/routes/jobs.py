"""Submitting jobs and looking after them."""

from typing import Annotated

from fastapi import APIRouter, Body, Header, Query, Response, status

from services.processor.dependencies import Flows, JobId, NoMore, Owner, Prefer, VerifiedCaller, WaitSeconds
from services.processor.domain.contexts import ContextRefused
from services.processor.domain.job_contexts import CallerRevoked
from services.processor.domain.job_names import JobConflict, JobNotFound
from services.processor.domain.outcomes import JobState
from services.processor.domain.pipeline_errors import DeadlineExceeded, PipelineError
from services.processor.domain.quotas import QueueFull, QuotaExceeded
from services.processor.domain.results import JobCancelled, JobEnded
from services.processor.domain.submissions import Submission
from services.processor.domain.work_errors import TriedTooOften, WaitedTooLong
from services.processor.routes.examples import PROCESS_EXAMPLES
from services.processor.routes.process_answer import JobFailedInWait, answer_process, answer_trial
from services.processor.routes.trial_bodies import TrialResponse
from services.processor.schemas import (
    AcceptedResponse,
    JobsResponse,
    ListedJobResponse,
    ProcessRequest,
    ProcessResponse,
    StatusResponse,
)
from shared.errors import InvalidRequest, PayloadTooLarge, RateLimited, Unavailable, ValidationFailed
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api", tags=["jobs"], route_class=SecuredRoute)
_ALWAYS = (Unauthorized, InsufficientScope, Unavailable)


@router.post(
    "/process",
    summary="Run a pipeline over S3 objects",
    status_code=status.HTTP_200_OK,
    response_model=ProcessResponse | TrialResponse,
    responses={
        200: {"description": "It has ended within the wait. Or, of a dry run: what it would be."},
        202: {"model": AcceptedResponse, "description": "Accepted; it has not ended within the wait."},
        **problem_responses(
            InvalidRequest,
            *_ALWAYS,
            JobConflict,
            JobCancelled,
            CallerRevoked,
            PayloadTooLarge,
            ValidationFailed,
            PipelineError,
            JobFailedInWait,
            DeadlineExceeded,
            RateLimited,
            QuotaExceeded,
            QueueFull,
            TriedTooOften,
            WaitedTooLong,
            ContextRefused,
        ),
    },
    openapi_extra=requires("jobs:write"),
)
async def submit(
    *,
    body: Annotated[ProcessRequest, Body(openapi_examples=PROCESS_EXAMPLES)],
    flows: Flows,
    caller: VerifiedCaller,
    prefer: Prefer,
    no_more: NoMore,
    idempotency_key: Annotated[
        str | None, Header(description="Stands for `processing_id`, for clients that send such a header.")
    ] = None,
) -> Response:
    """Accepts a job and waits for its end: 5 seconds if `Prefer` does not say otherwise.

    Safe to repeat: the same id with the same body is the same job, run once. Without an id each request is a new job.
    A stored pipeline is run as it is now; the same id once more, after it was changed, is a conflict: the job stands.
    `Location` says where to ask how the job is.

    With `dry_run` it is only planned, in the time of a preview: which objects in which versions, in how many
    partitions, as what columns, and what the requests would cost. What is wrong is told as the job would tell it.
    """
    submission = Submission(body.processing_id, idempotency_key, body.pipeline, body.data_source, body.config)
    if body.dry_run:
        return answer_trial(await flows.try_job(caller.user_id, submission))
    job = await flows.submit_job(caller, submission, wait_seconds=prefer.wait_seconds, no_more=no_more)
    return answer_process(job, prefer)


@router.get(
    "/status/{processing_id}",
    summary="How is a job?",
    responses=problem_responses(*_ALWAYS, JobNotFound, ValidationFailed),
    openapi_extra=requires("jobs:read"),
)
async def read_status(
    processing_id: JobId, flows: Flows, owner: Owner, no_more: NoMore, wait_seconds: WaitSeconds
) -> StatusResponse:
    """State, progress, counts and, of a failed or cancelled job, the reason. A job of another user is not found."""
    progress = await flows.read_status(owner, processing_id, wait_seconds=wait_seconds, no_more=no_more)
    return StatusResponse.of(progress)


@router.delete(
    "/process/{processing_id}",
    summary="Cancel a job",
    responses=problem_responses(*_ALWAYS, JobNotFound, JobEnded, ValidationFailed),
    openapi_extra=requires("jobs:write"),
)
async def cancel(processing_id: JobId, flows: Flows, owner: Owner) -> StatusResponse:
    """Ends it, for good: it has no result, and its work stops within seconds. To cancel it again changes nothing.

    A job that has completed or failed meanwhile stays so, which is a 409. Of two that want to end a job, one wins.
    """
    return StatusResponse.of(await flows.cancel_job(owner, processing_id))


@router.get(
    "/process",
    summary="List my jobs",
    responses=problem_responses(*_ALWAYS, ValidationFailed),
    openapi_extra=requires("jobs:read"),
)
async def list_jobs(
    flows: Flows,
    owner: Owner,
    state: Annotated[JobState | None, Query(alias="status", description="Only jobs in this state.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="The most jobs in the answer.")] = 20,
    cursor: Annotated[str | None, Query(max_length=300, description="The `next_cursor` of the answer before.")] = None,
) -> JobsResponse:
    """The newest first. A page may be short, or empty, while there is a `next_cursor`."""
    jobs, next_cursor = await flows.list_jobs(owner, state=state, limit=limit, raw_cursor=cursor)
    return JobsResponse(jobs=[ListedJobResponse.of(job) for job in jobs], next_cursor=next_cursor)
