"""The small application in this process, and as a real server."""

import sys
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from shared.settings import SharedSettings, load
from shared.testing.aws_emulator import REPOSITORY
from shared.testing.ports import free_port
from shared.testing.processes import Child, http_answers, inherited_environment
from shared.testing.server import Server
from shared.testing.tokens import TokenFactory
from tests.service.web.small_app import create_app

MOST_BODY_BYTES = 2048


@pytest.fixture(scope="session")
def tokens() -> TokenFactory:
    return TokenFactory()


@pytest.fixture
async def app(tokens: TokenFactory) -> AsyncIterator[FastAPI]:
    app = create_app(load(SharedSettings, max_body_bytes=MOST_BODY_BYTES), tokens)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
        yield client


@pytest.fixture(scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """It waits a second for header fields, and another for a body."""
    port = free_port()
    ours = {"MODE": "local", "HOST": "127.0.0.1", "PORT": str(port), "LOG_FORMAT": "json"}
    ours |= {"HEADER_TIMEOUT_SECONDS": "1", "BODY_TIMEOUT_SECONDS": "1"}
    child = Child(
        "edge",
        [sys.executable, "-m", "tests.service.web.small_app"],
        environment=inherited_environment(extra={f"MAYFLY_{name}": value for name, value in ours.items()}),
        log_file=tmp_path_factory.mktemp("edge") / "edge.log",
        working_folder=REPOSITORY,
    )
    async with Server(port, child, http_answers(f"http://127.0.0.1:{port}/readyz")) as server:
        yield server
