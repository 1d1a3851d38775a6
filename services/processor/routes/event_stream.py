"""A job's progress as server-sent events (WHATWG HTML, section 9.2). Nothing is kept: an event's id is the job's place.

Who comes back with the id that it saw last goes on from there, at any instance: it is told what is different now.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from fastapi.responses import StreamingResponse

from services.processor.domain.progress import Progress
from services.processor.schemas import StatusResponse
from shared import clock
from shared.errors import Unavailable

_RETRY = "retry: 1000\n\n"
_HEARTBEAT = ": still here\n\n"


class EventStream(StreamingResponse):
    media_type = "text/event-stream"


async def stream_of(
    looks: AsyncGenerator[Progress, None],
    first: Progress,
    *,
    last_seen: str | None,
    heartbeat_seconds: float,
    farewell: Callable[[], Awaitable[str | None]],
) -> AsyncIterator[str]:
    """An event for each place that the job comes to, after the one that was `last_seen`; a comment where it is silent.

    `farewell` is asked before anything is told, and says why there will be no more: the client may come back.
    """
    told, told_at = last_seen, clock.monotonic()
    yield _RETRY
    async with aclosing(looks):
        try:
            async for progress in _behind(first, looks):
                if (reason := await farewell()) is not None:
                    yield _goodbye(reason)
                    return
                if progress.place != told:
                    told, told_at = progress.place, clock.monotonic()
                    yield _event(progress)
                elif clock.monotonic() - told_at >= heartbeat_seconds:
                    told_at = clock.monotonic()
                    yield _HEARTBEAT
        except Unavailable as outage:
            yield _goodbye(outage.detail)


async def _behind(first: Progress, looks: AsyncIterator[Progress]) -> AsyncIterator[Progress]:
    yield first
    async for progress in looks:
        yield progress


def _event(progress: Progress) -> str:
    kind = "progress" if progress.job.outcome is None else "end"
    return f"id: {progress.place}\nevent: {kind}\ndata: {StatusResponse.of(progress).model_dump_json()}\n\n"


def _goodbye(reason: str) -> str:
    return f": {reason} Ask again, with Last-Event-ID.\n\n"
