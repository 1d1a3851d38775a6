"""Keeping pipelines under names."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Response, status

from services.processor.dependencies import Flows, Owner, VerifiedCaller
from services.processor.domain.job_names import PROCESSING_ID_PATTERN
from services.processor.domain.pipeline_errors import PipelineError
from services.processor.domain.preconditions import Precondition, PreconditionFailed, parse_precondition
from services.processor.domain.stored_pipelines import PipelineNotFound, TooManyPipelines
from services.processor.routes.examples import PIPELINE_EXAMPLES
from services.processor.routes.pipeline_bodies import PipelineRequest, PipelineResponse, PipelinesResponse
from shared.errors import InvalidRequest, PayloadTooLarge, Unavailable, ValidationFailed
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api/pipelines", tags=["pipelines"], route_class=SecuredRoute)
_ALWAYS = (Unauthorized, InsufficientScope, Unavailable, ValidationFailed)
_ETAG: dict[str, Any] = {
    "ETag": {"description": "This state of it, for `If-Match`.", "schema": {"type": "string"}, "required": True}
}

PipelineName = Annotated[
    str,
    Path(
        description="Your own name for it: a letter or digit, then letters, digits, dots, dashes, underscores.",
        examples=["daily-orders"],
        json_schema_extra={"pattern": f"^{PROCESSING_ID_PATTERN}$"},
    ),
]
IfMatch = Annotated[
    str | None, Header(description="The `ETag` that you read: what was changed meanwhile is not overwritten.")
]


def precondition_of(
    if_match: IfMatch = None,
    if_none_match: Annotated[str | None, Header(description="`*`: only if there is none of this name.")] = None,
) -> Precondition:
    return parse_precondition(if_match, if_none_match)


@router.put(
    "/{name}",
    summary="Store a pipeline under a name",
    responses={
        200: {"headers": _ETAG, "description": "It is stored, in the place of what had the name."},
        201: {"model": PipelineResponse, "headers": _ETAG, "description": "It is stored; the name was free."},
        **problem_responses(
            *_ALWAYS, InvalidRequest, PayloadTooLarge, PipelineError, TooManyPipelines, PreconditionFailed
        ),
    },
    openapi_extra=requires("jobs:write"),
)
async def store_pipeline(
    *,
    name: PipelineName,
    body: Annotated[PipelineRequest, Body(openapi_examples=PIPELINE_EXAMPLES)],
    flows: Flows,
    caller: VerifiedCaller,
    precondition: Annotated[Precondition, Depends(precondition_of)],
    response: Response,
) -> PipelineResponse:
    """Checked as a job is when it is submitted. Jobs that were submitted before do what it said then.

    With `triggers` it runs by itself: over each object that arrives among your inputs and matches one, or by a
    schedule. It does so as long as neither you nor the client that you store it with are revoked. `armed` says so;
    store it again to let it run again.
    """
    stored, is_new = await flows.store_pipeline(
        caller, name, body.data_source, body.config, body.triggers, precondition=precondition
    )
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    response.headers["ETag"] = stored.etag
    return PipelineResponse.of(stored)


@router.get(
    "/{name}",
    summary="Look at a stored pipeline",
    responses={
        200: {"headers": _ETAG, "description": "As it is now."},
        **problem_responses(*_ALWAYS, PipelineNotFound),
    },
    openapi_extra=requires("jobs:read"),
)
async def read_pipeline(name: PipelineName, flows: Flows, owner: Owner, response: Response) -> PipelineResponse:
    """A pipeline of another user is not found."""
    stored = await flows.read_pipeline(owner, name)
    response.headers["ETag"] = stored.etag
    return PipelineResponse.of(stored)


@router.get(
    "",
    summary="List my stored pipelines",
    responses=problem_responses(*_ALWAYS),
    openapi_extra=requires("jobs:read"),
)
async def list_pipelines(
    flows: Flows,
    owner: Owner,
    limit: Annotated[int, Query(ge=1, le=100, description="The most pipelines in the answer.")] = 50,
    cursor: Annotated[str | None, Query(max_length=300, description="The `next_cursor` of the answer before.")] = None,
) -> PipelinesResponse:
    """By name. A page may be short while there is a `next_cursor`."""
    return PipelinesResponse.of(*await flows.list_pipelines(owner, limit=limit, raw_cursor=cursor))


@router.delete(
    "/{name}",
    summary="Delete a stored pipeline",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(*_ALWAYS, PipelineNotFound, PreconditionFailed),
    openapi_extra=requires("jobs:write"),
)
async def delete_pipeline(name: PipelineName, flows: Flows, owner: Owner, if_match: IfMatch = None) -> None:
    """Its jobs stay as they are, and those that have not ended go on."""
    await flows.delete_pipeline(owner, name, parse_precondition(if_match, None))
