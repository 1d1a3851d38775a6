"""Bringing records."""

from typing import Annotated

from fastapi import APIRouter, Body, Response, status

from services.processor.dependencies import Flows, Owner
from services.processor.domain.uploads import UploadIncomplete, UploadNotFound
from services.processor.routes.examples import COMPLETION_EXAMPLES, UPLOAD_EXAMPLES
from services.processor.schemas import CompletionRequest, CompletionResponse, UploadRequest, UploadResponse
from shared.errors import InvalidRequest, PayloadTooLarge, Unavailable, ValidationFailed
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api", tags=["uploads"], route_class=SecuredRoute)


@router.post(
    "/uploads",
    summary="Get a URL to upload an object to",
    status_code=status.HTTP_201_CREATED,
    responses=problem_responses(
        InvalidRequest, Unauthorized, InsufficientScope, PayloadTooLarge, ValidationFailed, Unavailable
    ),
    openapi_extra=requires("jobs:write"),
)
async def start_upload(
    body: Annotated[UploadRequest, Body(openapi_examples=UPLOAD_EXAMPLES)],
    flows: Flows,
    owner: Owner,
    response: Response,
) -> UploadResponse:
    """PUT the bytes to `url` with `headers`; then `data_source` names them in `POST /api/process`.

    The object is yours alone, and is removed after some weeks. One PUT takes at most 5 GiB: say the `size` of a larger
    object, and there is a URL for each of its parts, and a last call that puts them together.
    """
    upload = await flows.start_upload(owner, body.filename, content_type=body.content_type, size=body.size)
    response.headers["Cache-Control"] = "no-store"  # whoever has the URL may write
    return UploadResponse.of(upload)


@router.post(
    "/uploads/complete",
    summary="Put the parts of a large upload together",
    responses=problem_responses(
        InvalidRequest,
        Unauthorized,
        InsufficientScope,
        UploadNotFound,
        UploadIncomplete,
        PayloadTooLarge,
        ValidationFailed,
        Unavailable,
    ),
    openapi_extra=requires("jobs:write"),
)
async def complete_upload(
    body: Annotated[CompletionRequest, Body(openapi_examples=COMPLETION_EXAMPLES)], flows: Flows, owner: Owner
) -> CompletionResponse:
    """Once each part was PUT to its URL. Asking again is answered alike."""
    size = await flows.complete_upload(owner, body.data_source, body.upload_id, parts=body.parts)
    return CompletionResponse(data_source=body.data_source, bytes=size)
