"""`/livez`: the process turns. `/readyz`: it can do its work, or which named check says that it can't. `/metrics`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response, status
from pydantic import Field

from shared.errors import Problem
from shared.telemetry.metrics import exposition
from shared.web.schema import ResponseModel

router = APIRouter(tags=["health"])


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """`check` returns a word about the state ("fresh, 0.1 s"), or raises. It may take `timeout_seconds`."""

    name: str
    check: Callable[[], Awaitable[str]]
    timeout_seconds: float = 1


class CheckResponse(ResponseModel):
    ok: bool
    detail: str


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
    results = await asyncio.gather(*(_run_one(check) for check in checks))
    return dict(zip((check.name for check in checks), results, strict=True))


async def _run_one(check: ReadinessCheck) -> CheckResponse:
    try:
        async with asyncio.timeout(check.timeout_seconds):
            return CheckResponse(ok=True, detail=await check.check())
    except TimeoutError:
        return CheckResponse(ok=False, detail=f"no answer within {check.timeout_seconds:g} s")
    except Problem as problem:
        return CheckResponse(ok=False, detail=problem.detail)
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is "not ready", never a 500
        return CheckResponse(ok=False, detail=type(error).__name__)
