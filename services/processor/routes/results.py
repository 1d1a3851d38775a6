"""Fetching results."""

from typing import Annotated

from fastapi import APIRouter, Header, Response, status

from services.processor.dependencies import Flows, JobId, Owner
from services.processor.domain.job_names import JobNotFound
from services.processor.domain.results import JobFailed, JobNotFinished, Result, ResultExpired
from services.processor.schemas import ResultResponse
from shared.errors import Unavailable, ValidationFailed
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api", tags=["results"], route_class=SecuredRoute)


@router.get(
    "/results/{processing_id}",
    summary="Fetch a job's result",
    response_model=ResultResponse,
    responses={
        200: {"description": "The manifest and a link to each part: asked for by `Accept`, or several parts."},
        307: {"description": "`Location` is a presigned URL of the result, which is one object."},
        **problem_responses(
            Unauthorized,
            InsufficientScope,
            JobNotFound,
            JobNotFinished,
            JobFailed,
            ResultExpired,
            ValidationFailed,
            Unavailable,
        ),
    },
    openapi_extra=requires("jobs:read"),
)
async def read_result(
    processing_id: JobId,
    flows: Flows,
    owner: Owner,
    accept: Annotated[str, Header(description="`application/json` asks for the manifest, not for the bytes.")] = "*/*",
) -> Response:
    """Redirects to the bytes in S3, which come from there and not through this service.

    Do not send the access token along: the link works without it, for a quarter of an hour.
    """
    result = await flows.read_result(owner, processing_id)
    return _described(result) if _wants_json(accept) or len(result.parts) != 1 else _redirected(result)


def _wants_json(accept: str) -> bool:
    return any(part.split(";")[0].strip().lower() == "application/json" for part in accept.split(","))


def _described(result: Result) -> Response:
    body = ResultResponse.of(result).model_dump_json()
    return Response(body, media_type="application/json", headers={"Vary": "Accept", "Cache-Control": "no-store"})


def _redirected(result: Result) -> Response:
    headers = {"Location": result.parts[0].url, "Vary": "Accept", "Cache-Control": "no-store"}
    return Response(status_code=status.HTTP_307_TEMPORARY_REDIRECT, headers=headers)
