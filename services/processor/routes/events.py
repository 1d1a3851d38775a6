"""Following a job."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response, status

from services.processor.dependencies import Flows, JobId, Owner
from services.processor.domain.job_names import JobNotFound
from services.processor.domain.progress import Progress
from services.processor.routes.event_stream import EventStream, stream_of
from services.processor.settings import ProcessorSettings
from shared import clock
from shared.errors import RateLimited, Unavailable, ValidationFailed
from shared.tokens.claims import InvalidToken
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires, verify_again
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api", tags=["jobs"], route_class=SecuredRoute)
# Neither a cache nor a proxy may hold events back (nginx and its kin heed the second).
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_EVENT = {
    "type": "object",
    "description": "One event; comments and `retry` come besides.",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string"},
        "event": {"enum": ["progress", "end"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events, each with an `id`: `progress` until the job has ended, then `end`. `data` is what "
        "`GET /api/status/{processing_id}` answers.",
        "content": {
            "text/event-stream": {
                "schema": _EVENT,
                "example": 'id: running-1-1\nevent: progress\ndata: {"success":true,"status":{}}\n\n',
            }
        },
    },
    204: {"description": "`Last-Event-ID` is the end's: there is nothing to follow any more."},
    **problem_responses(Unauthorized, InsufficientScope, JobNotFound, ValidationFailed, RateLimited, Unavailable),
}


@dataclass(frozen=True, slots=True)
class Farewell:
    """Why a stream is not to go on, if it is not: this instance stops, the token is good no more, its time is over."""

    request: Request
    most_seconds: float
    began: float = field(default_factory=clock.monotonic)

    async def reason(self) -> str | None:
        if self.request.app.state.draining:
            return "This instance stops."
        if clock.monotonic() - self.began >= self.most_seconds:
            return f"A stream lasts {self.most_seconds:g} s."
        try:
            await verify_again(self.request)
        except InvalidToken as refusal:
            return f"The access token is not valid any more: {refusal.reason}."
        except Unavailable:
            return "Whether the access token is valid is not known now."
        return None


@router.get(
    "/status/{processing_id}/events",
    summary="Follow a job",
    response_class=EventStream,
    responses=_RESPONSES,
    openapi_extra=requires("jobs:read"),
)
async def follow(
    *,
    processing_id: JobId,
    request: Request,
    flows: Flows,
    owner: Owner,
    last_event_id: Annotated[
        str | None, Header(description="The `id` of the last event that was seen; at any instance.")
    ] = None,
) -> Response:
    """Server-sent events, from where the job is now until its end: `curl -N` shows them.

    A connection that breaks loses nothing: ask again with `Last-Event-ID`. So a stream may end before the job does:
    after a quarter of an hour, when its instance stops, when its token expires or is revoked. A comment says which.
    """
    looks = flows.follow_job(owner, processing_id)
    first = await anext(looks)
    if first.job.outcome is None or first.place != last_event_id:
        return _stream(request, looks, first, last_event_id)
    await looks.aclose()
    return Response(status_code=status.HTTP_204_NO_CONTENT, headers=_HEADERS)


def _stream(
    request: Request, looks: AsyncGenerator[Progress, None], first: Progress, last_event_id: str | None
) -> Response:
    settings: ProcessorSettings = request.app.state.settings
    events = stream_of(
        looks,
        first,
        last_seen=last_event_id,
        heartbeat_seconds=settings.event_heartbeat_seconds,
        farewell=Farewell(request, settings.event_stream_seconds).reason,
    )
    return EventStream(events, headers=_HEADERS)
