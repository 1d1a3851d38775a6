"""What a token costs a request: the same route with and without it, served as in production, asked over a socket.

Prints the CPU time of the serving process for each request, as a ratio to the route without a token. "seen" was
verified before, "new" never was. The three are asked for in turns, some requests each; the median of the turns counts.
"""

import multiprocessing
import os
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request

from benchmarks.micro.connection import Connection
from shared.settings import SharedSettings, load
from shared.telemetry.logs import configure_logs
from shared.testing.ports import free_port
from shared.testing.tokens import TokenFactory
from shared.tokens.claims import Claims, VerificationPolicy
from shared.tokens.key_source import StaticKeySource
from shared.tokens.keyset import KeySet
from shared.tokens.revocation import RevokedSet
from shared.tokens.verifier import Verifier
from shared.web.app import new_app
from shared.web.bearer import SecuredRoute, requires
from shared.web.serve import DrainingServer

TURNS = 80
REQUESTS = 100


async def route(request: Request) -> dict[str, str]:
    return {"path": request.url.path}


async def cpu() -> float:
    return time.process_time()


class Memory:
    """Revocations in memory, as in a process whose feed is fresh."""

    def __init__(self) -> None:
        self.revoked = RevokedSet()

    def is_revoked(self, claims: Claims) -> bool:
        return self.revoked.is_revoked(claims)


def serve(port: int, jwks: Mapping[str, Any], policy: VerificationPolicy) -> None:
    """The route twice, open and secured, with every setting as it is by default; its log lines go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    settings = load(SharedSettings, port=port)
    configure_logs(settings)
    without, secured = APIRouter(), APIRouter(route_class=SecuredRoute)
    without.add_api_route("/without", route)
    without.add_api_route("/cpu", cpu)
    secured.add_api_route("/with", route, openapi_extra=requires("jobs:read"))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.verifier = Verifier(StaticKeySource(KeySet.parse(jwks)), Memory(), policy)
        yield

    app = new_app(
        title="x",
        version="1",
        summary="",
        description="",
        settings=settings,
        lifespan=lifespan,
        routers=[without, secured],
    )
    DrainingServer(app, settings).run()


@contextmanager
def served(tokens: TokenFactory) -> Iterator[Connection]:
    port = free_port()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(port, tokens.jwks(), tokens.policy))
    server.start()
    try:
        with closing(Connection.open_when_ready(port)) as connection:
            yield connection
    finally:
        server.terminate()
        server.join()


def cpu_of(connection: Connection, path: str, bearers: list[str | None]) -> float:
    """Microseconds of the server's CPU a request."""
    began = float(connection.get("/cpu"))
    for token in bearers:
        connection.get(path, token)
    return (float(connection.get("/cpu")) - began) / len(bearers) * 1e6


def measure() -> dict[str, list[float]]:
    tokens = TokenFactory()
    seen = tokens.mint()
    turns: dict[str, list[float]] = {"without": [], "seen": [], "new": []}
    with served(tokens) as connection:
        for _ in range(TURNS):
            fresh: list[str | None] = [tokens.mint() for _ in range(REQUESTS)]
            turns["without"].append(cpu_of(connection, "/without", [None] * REQUESTS))
            turns["seen"].append(cpu_of(connection, "/with", [seen] * REQUESTS))
            turns["new"].append(cpu_of(connection, "/with", fresh))
    return turns


def main() -> None:
    turns = measure()
    print("CPU of a request in the serving process, RS256 (median of turns; ratio to the same route without a token)")
    for name, goal in (("without", ""), ("seen", "goal <= 1.10"), ("new", "goal <= 1.35")):
        ratio = statistics.median(one / base for one, base in zip(turns[name], turns["without"], strict=True))
        print(f"  {name:8} {statistics.median(turns[name]):7.1f} us   {ratio:5.2f}   {goal}")


if __name__ == "__main__":
    main()
