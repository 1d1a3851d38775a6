"""A small application of our own making, to see the edge without a service behind it: `create_app`, or as a server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request
from pydantic import JsonValue

from shared.errors import Unavailable
from shared.settings import SharedSettings
from shared.testing.tokens import TokenFactory
from shared.tokens.claims import Claims
from shared.tokens.key_source import StaticKeySource
from shared.tokens.verifier import Verifier
from shared.web.app import new_app
from shared.web.bearer import SecuredRoute, caller_of, requires
from shared.web.forms import read_form
from shared.web.health import ReadinessCheck
from shared.web.json_bodies import JsonRoute
from shared.web.schema import RequestModel
from shared.web.serve import run


class NothingRevoked:
    async def is_revoked(self, claims: Claims) -> bool:
        return False


class EchoRequest(RequestModel):
    name: str
    count: int = 0
    either: str | list[str] = ""
    config: dict[str, JsonValue] = {}  # noqa: RUF012 - pydantic copies it


open_router = APIRouter(route_class=JsonRoute)
secured_router = APIRouter(route_class=SecuredRoute)


@open_router.post("/echo")
async def echo(request: EchoRequest) -> EchoRequest:
    return request


@open_router.post("/form")
async def form(request: Request) -> dict[str, str]:
    return await read_form(request)


@open_router.get("/items/{name}")
async def item(name: str) -> str:
    return name


@open_router.get("/address")
async def address(request: Request) -> str:
    return request.client.host if request.client else ""


@open_router.get("/bug")
async def bug() -> None:
    message = "secret inside"
    raise RuntimeError(message)


@open_router.get("/down")
async def down() -> None:
    raise Unavailable("DynamoDB does not answer. Ask again.", retry_after_seconds=2.2)


@secured_router.get("/mine", openapi_extra=requires("jobs:read"))
async def mine(request: Request) -> str:
    return caller_of(request).user_id


async def _works() -> str:
    return "fine"


def create_app(settings: SharedSettings, tokens: TokenFactory | None = None) -> FastAPI:
    """It trusts these tokens; with none given, only what it gives itself at `/token`."""
    minted = tokens or TokenFactory(alg="ES256")
    giving = APIRouter()

    @giving.get("/token")
    async def token() -> str:
        return minted.mint()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.verifier = Verifier(StaticKeySource(minted.key_set()), NothingRevoked(), minted.policy)
        app.state.readiness_checks = (ReadinessCheck("works", _works),)
        yield

    return new_app(
        title="Edge",
        version="1",
        summary="",
        description="",
        settings=settings,
        lifespan=lifespan,
        routers=[open_router, secured_router, giving],
    )


if __name__ == "__main__":
    run(create_app, SharedSettings)
