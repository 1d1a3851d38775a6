"""Fetching results."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status
from fastapi.responses import StreamingResponse

from services.processor.dependencies import Flows, JobId, Owner
from services.processor.domain.combining import PartsStandAlone
from services.processor.domain.job_names import JobNotFound
from services.processor.domain.results import JobCancelled, JobFailed, JobNotFinished, Result, ResultExpired
from services.processor.flows.combine_result import Combined
from services.processor.schemas import ResultResponse
from shared.errors import Unavailable, ValidationFailed
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api", tags=["results"], route_class=SecuredRoute)
_COMBINED_TYPES = (
    "application/x-ndjson",
    "text/csv",
    "application/gzip",
    "application/zstd",
    "application/vnd.apache.parquet",
)


@router.get(
    "/results/{processing_id}",
    summary="Fetch a job's result",
    response_model=ResultResponse,
    responses={
        200: {
            "description": "The manifest and a link to each part: asked for by `Accept`, or several parts, or split.",
            "content": {media_type: {} for media_type in _COMBINED_TYPES},
        },
        307: {"description": "`Location` is a presigned URL of the result, which is one object."},
        **problem_responses(
            Unauthorized,
            InsufficientScope,
            JobNotFound,
            JobNotFinished,
            JobFailed,
            JobCancelled,
            ResultExpired,
            PartsStandAlone,
            ValidationFailed,
            Unavailable,
        ),
    },
    openapi_extra=requires("jobs:read"),
)
async def read_result(
    *,
    processing_id: JobId,
    flows: Flows,
    owner: Owner,
    combined: Annotated[
        bool, Query(description="Answer with the bytes themselves, of all parts in one: the processor reads them.")
    ] = False,
    accept: Annotated[str, Header(description="`application/json` asks for the manifest, not for the bytes.")] = "*/*",
) -> Response:
    """Redirects to the bytes in S3, which come from there and not through this service.

    Do not send the access token along: the link works without it, for a quarter of an hour.
    With `combined=true` the bytes do come through here, all parts as one: NDJSON in a row, CSV under one header, JSON
    as one array; several of Parquet are a 409, and so is a result that is split by `output.partition_by`. An answer
    that breaks off has no proper end; ask again.
    """
    result = await flows.read_result(owner, processing_id)
    if combined:
        return _streamed(result, await flows.combine_result(result))
    return _described(result) if _wants_json(accept) or not result.is_one_object else _redirected(result)


def _wants_json(accept: str) -> bool:
    return any(part.split(";")[0].strip().lower() == "application/json" for part in accept.split(","))


def _described(result: Result) -> Response:
    body = ResultResponse.of(result).model_dump_json()
    return Response(body, media_type="application/json", headers={"Vary": "Accept", "Cache-Control": "no-store"})


def _redirected(result: Result) -> Response:
    headers = {"Location": result.parts[0].url, "Vary": "Accept", "Cache-Control": "no-store"}
    return Response(status_code=status.HTTP_307_TEMPORARY_REDIRECT, headers=headers)


def _streamed(result: Result, combined: Combined) -> Response:
    name = f"{result.processing_id}{combined.encoding.suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept", "Cache-Control": "no-store"}
    return StreamingResponse(combined.pieces, media_type=combined.encoding.content_type, headers=headers)
