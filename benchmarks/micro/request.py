"""What a token costs a request: the same route with and without it, over ASGI, in one process.

Prints the CPU time of each as a ratio to the route without a token. "seen" was verified before, "new" never was.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request

from shared.settings import SharedSettings, load
from shared.telemetry.logs import configure_logs
from shared.testing.tokens import TokenFactory
from shared.tokens.claims import Claims
from shared.tokens.key_source import StaticKeySource
from shared.tokens.revocation import RevokedSet
from shared.tokens.verifier import Verifier
from shared.web.app import new_app
from shared.web.bearer import SecuredRoute, requires

ROUNDS = 15
REQUESTS = 400
tokens = TokenFactory()


async def route(request: Request) -> dict[str, str]:
    return {"path": request.url.path}


def routers() -> tuple[APIRouter, APIRouter]:
    """The same route, once open and once for callers with a scope."""
    without, secured = APIRouter(), APIRouter(route_class=SecuredRoute)
    without.add_api_route("/route", route)
    secured.add_api_route("/route", route, openapi_extra=requires("jobs:read"))
    return without, secured


class Memory:
    """Revocations in memory, as in a process whose feed is fresh."""

    def __init__(self) -> None:
        self.revoked = RevokedSet()

    async def is_revoked(self, claims: Claims) -> bool:
        return self.revoked.is_revoked(claims)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.verifier = Verifier(StaticKeySource(tokens.key_set()), Memory(), tokens.policy)
    yield


async def ask(app: FastAPI, token: str | None) -> None:
    headers = [(b"host", b"x")] + ([(b"authorization", f"Bearer {token}".encode())] if token else [])
    scope: dict[str, Any] = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": "/route"}
    scope |= {"raw_path": b"/route", "query_string": b"", "headers": headers, "asgi": {"version": "3.0"}}
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(scope, receive, send)
    assert status == 200


async def cpu_of(app: FastAPI, bearer: Iterator[str | None]) -> float:
    """Microseconds of CPU a request."""
    wanted = [next(bearer) for _ in range(REQUESTS)]
    began = time.process_time()
    for token in wanted:
        await ask(app, token)
    return (time.process_time() - began) / REQUESTS * 1e6


def forever(value: str | None) -> Iterator[str | None]:
    while True:
        yield value


def fresh() -> Iterator[str | None]:
    while True:
        yield tokens.mint()


def app_with(router: APIRouter, settings: SharedSettings) -> FastAPI:
    return new_app(
        title="x", version="1", summary="", description="", settings=settings, lifespan=lifespan, routers=[router]
    )


async def measure() -> dict[str, float]:
    settings = load(SharedSettings, log_level="warning")
    configure_logs(settings)
    open_app, secured_app = (app_with(router, settings) for router in routers())
    rounds: dict[str, list[float]] = {"without": [], "seen": [], "new": []}
    seen = forever(tokens.mint())
    async with open_app.router.lifespan_context(open_app), secured_app.router.lifespan_context(secured_app):
        for _ in range(ROUNDS):
            rounds["without"].append(await cpu_of(open_app, forever(None)))
            rounds["seen"].append(await cpu_of(secured_app, seen))
            rounds["new"].append(await cpu_of(secured_app, fresh()))
    return {name: statistics.median(values) for name, values in rounds.items()}


def main() -> None:
    medians = asyncio.run(measure())
    base = medians["without"]
    print("CPU of a request, RS256 (median of rounds; ratio to the same route without a token)")
    for name, goal in (("without", ""), ("seen", "goal <= 1.10"), ("new", "goal <= 1.35")):
        print(f"  {name:8} {medians[name]:7.1f} us   {medians[name] / base:5.2f}   {goal}")


if __name__ == "__main__":
    main()
