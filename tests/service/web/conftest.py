"""A small application of our own making, to see the edge without a service behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from pydantic import JsonValue

from shared.errors import Unavailable
from shared.settings import SharedSettings, load
from shared.testing.tokens import TokenFactory
from shared.tokens.claims import Claims
from shared.tokens.key_source import StaticKeySource
from shared.tokens.verifier import Verifier
from shared.web.app import new_app
from shared.web.bearer import SecuredRoute, caller_of, requires
from shared.web.forms import read_form
from shared.web.health import ReadinessCheck
from shared.web.schema import RequestModel

MOST_BODY_BYTES = 2048


class NothingRevoked:
    async def is_revoked(self, claims: Claims) -> bool:
        return False


class EchoRequest(RequestModel):
    name: str
    count: int = 0
    either: str | list[str] = ""
    config: dict[str, JsonValue] = {}  # noqa: RUF012 - pydantic copies it


open_router = APIRouter()
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


@pytest.fixture(scope="session")
def tokens() -> TokenFactory:
    return TokenFactory()


@pytest.fixture
async def app(tokens: TokenFactory) -> AsyncIterator[FastAPI]:
    settings = load(SharedSettings, max_body_bytes=MOST_BODY_BYTES)

    async def works() -> str:
        return "fine"

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.verifier = Verifier(StaticKeySource(tokens.key_set()), NothingRevoked(), tokens.policy)
        app.state.readiness_checks = (ReadinessCheck("works", works),)
        yield

    app = new_app(
        title="Edge",
        version="1",
        summary="",
        description="",
        settings=settings,
        lifespan=lifespan,
        routers=[open_router, secured_router],
    )
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
        yield client
