"""`/livez`: the process turns. `/readyz`: it can do its work, or which named check says that it can't. `/metrics`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response, status
from pydantic import Field

from shared import clock
from shared.errors import Problem
from shared.telemetry.metrics import exposition
from shared.web.schema import ResponseModel

router = APIRouter(tags=["health"])
_FRESH_SECONDS = 1.0


class CheckResponse(ResponseModel):
    ok: bool
    detail: str


@dataclass(slots=True)
class ReadinessCheck:
    """`check` returns a word about the state ("fresh, 0.1 s"), or raises. It may take `timeout_seconds`.

    Anyone may ask `/readyz` as often as they like: what was found is the answer for a second, and all who ask
    meanwhile wait for the same run.
    """

    name: str
    check: Callable[[], Awaitable[str]]
    timeout_seconds: float = 1
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _found: CheckResponse | None = field(default=None, init=False)
    _found_at: float = field(default=0, init=False)

    async def result(self) -> CheckResponse:
        """What the check found, at most a second ago. Never raises what the check does."""
        async with self._asking:
            if self._found is None or clock.monotonic() - self._found_at >= _FRESH_SECONDS:
                self._found, self._found_at = await self._once(), clock.monotonic()
            return self._found

    async def _once(self) -> CheckResponse:
        try:
            async with asyncio.timeout(self.timeout_seconds):
                return CheckResponse(ok=True, detail=await self.check())
        except TimeoutError:
            return CheckResponse(ok=False, detail=f"no answer within {self.timeout_seconds:g} s")
        except Problem as problem:
            return CheckResponse(ok=False, detail=problem.detail)
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer is "not ready", never a 500
            return CheckResponse(ok=False, detail=type(error).__name__)


class HealthResponse(ResponseModel):
    status: str
    checks: dict[str, CheckResponse] = Field(default_factory=dict)


@router.get("/livez", summary="Does the process turn?")
async def livez() -> HealthResponse:
    """Answers 200 as long as the event loop does; says nothing of what it depends on."""
    return HealthResponse(status="alive")


@router.get(
    "/readyz",
    summary="Can this instance do its work?",
    responses={503: {"model": HealthResponse, "description": "Not now; the failing check is named."}},
)
async def readyz(request: Request, response: Response) -> HealthResponse:
    """A load balancer sends requests only to instances that answer 200 here; 503 also while one is stopping."""
    checks = await _run(request.app.state.readiness_checks)
    ready = all(check.ok for check in checks.values()) and not request.app.state.draining
    response.status_code = status.HTTP_200_OK if ready else status.HTTP_503_SERVICE_UNAVAILABLE
    if not ready:
        response.headers["Retry-After"] = "1"
    return HealthResponse(status=_word(ready=ready, draining=request.app.state.draining), checks=checks)


@router.get("/metrics", summary="For Prometheus", response_class=Response)
async def metrics() -> Response:
    """Text exposition format; see docs/reference/metrics.md for the names."""
    body, content_type = exposition()
    return Response(body, headers={"content-type": content_type})


def _word(*, ready: bool, draining: bool) -> str:
    if draining:
        return "stopping"
    return "ready" if ready else "not ready"


async def _run(checks: Sequence[ReadinessCheck]) -> dict[str, CheckResponse]:
    results = await asyncio.gather(*(check.result() for check in checks))
    return dict(zip((check.name for check in checks), results, strict=True))
