"""Bringing records."""

from typing import Annotated

from fastapi import APIRouter, Body, Response, status

from services.processor.dependencies import Flows, Owner
from services.processor.routes.examples import UPLOAD_EXAMPLES
from services.processor.schemas import UploadRequest, UploadResponse
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

    The object is yours alone, and is removed after some weeks. One PUT takes at most 5 GiB.
    """
    upload = await flows.start_upload(owner, body.filename, content_type=body.content_type, size=body.size)
    response.headers["Cache-Control"] = "no-store"  # whoever has the URL may write
    return UploadResponse.of(upload)
