"""Trying a pipeline."""

from typing import Annotated

from fastapi import APIRouter, Body

from services.processor.dependencies import Flows, Owner
from services.processor.domain.input_errors import NoSources, SourceChanged, SourceMissing, TooManySources
from services.processor.domain.pipeline_errors import DeadlineExceeded, MemoryExceeded, PipelineError, RecordError
from services.processor.routes.examples import PREVIEW_EXAMPLES
from services.processor.schemas import PreviewRequest, PreviewResponse
from shared.errors import InvalidRequest, PayloadTooLarge, RateLimited, Unavailable, ValidationFailed
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api", tags=["jobs"], route_class=SecuredRoute)


@router.post(
    "/preview",
    summary="Try a pipeline on the first records",
    responses=problem_responses(
        InvalidRequest,
        Unauthorized,
        InsufficientScope,
        PayloadTooLarge,
        ValidationFailed,
        PipelineError,
        RecordError,
        SourceMissing,
        SourceChanged,
        NoSources,
        TooManySources,
        DeadlineExceeded,
        MemoryExceeded,
        RateLimited,
        Unavailable,
    ),
    openapi_extra=requires("jobs:read"),
)
async def preview(
    body: Annotated[PreviewRequest, Body(openapi_examples=PREVIEW_EXAMPLES)], flows: Flows, owner: Owner
) -> PreviewResponse:
    """The first records before and after, and the columns with their types. Nothing is stored, no job is made.

    Only the beginning of the first object is read; what would fail there fails here in the same words.
    """
    return PreviewResponse.of(await flows.preview_pipeline(owner, body.data_source, body.config))
