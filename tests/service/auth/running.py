"""One auth inside the test's process, over ASGI, with the real Redis and the real AWS protocol behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
from fastapi import FastAPI
from httpx import ASGITransport

from services.auth.domain.clients import Client
from services.auth.main import create_app
from services.auth.resources import Resources
from services.auth.settings import AuthSettings
from services.auth.stores.clients import Clients
from shared import clock
from shared.errors import Unavailable
from tests.support.waiting import eventually

DEMO_CLIENT = ("demo-service", "demo-service-secret-local-only")
DEMO_USERS = (("testuser", "testpass"), ("alice", "wonderland-demo"), ("admin", "admin-demo-only"))


@dataclass(frozen=True)
class Auth:
    """A running auth and a client of it."""

    app: FastAPI
    http: httpx.AsyncClient

    @property
    def resources(self) -> Resources:
        resources: Resources = self.app.state.resources
        return resources

    async def login(self, username: str = "testuser", password: str = "testpass") -> dict[str, Any]:
        response = await self.try_login(username, password)
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens

    async def try_login(self, username: str, password: str) -> httpx.Response:
        return await self.http.post("/api/login", json={"username": username, "password": password})

    async def get(self, path: str, token: str) -> httpx.Response:
        return await self.http.get(path, headers=bearer(token))

    async def post(self, path: str, token: str, json: object = None) -> httpx.Response:
        return await self.http.post(path, headers=bearer(token), json=json)

    async def patch(self, path: str, token: str, json: object) -> httpx.Response:
        return await self.http.patch(path, headers=bearer(token), json=json)

    async def delete(self, path: str, token: str) -> httpx.Response:
        return await self.http.delete(path, headers=bearer(token))

    async def refresh(self, refresh_token: str, **more: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **more}
        return await self.http.post("/oauth2/token", data=form)

    async def client_token(self, **more: str) -> httpx.Response:
        form = {"grant_type": "client_credentials", **more}
        return await self.http.post("/oauth2/token", data=form, auth=DEMO_CLIENT)

    async def register(self, client: Client) -> None:
        """Whether or not there is one of its id."""
        clients = Clients(self.resources.backends.dynamodb, self.resources.settings.table_prefix)
        known = await clients.get(client.client_id)
        assert await clients.save(replace(client, version=known.version if known else 0))

    async def accepts(self, token: str) -> bool:
        response = await self.get("/api/me", token)
        assert response.status_code in {200, 401}, response.text
        return response.status_code == 200

    async def until_it_signs(self) -> None:
        """Returns when it follows the key ring; one with a key in its settings need not be waited for."""

        async def signs() -> bool:
            try:
                return bool(self.resources.keys.active)
            except Unavailable:
                return False

        await eventually(signs)

    async def until_it_hears(self) -> None:
        """Returns when it follows the revocations in Redis, and need not read DynamoDB for each token."""

        async def hears() -> bool:
            return self.resources.backends.feed.staleness(clock.monotonic()) < 1

        await eventually(hears)


@asynccontextmanager
async def running(settings: AuthSettings, address: str = "192.0.2.7") -> AsyncIterator[Auth]:
    """`address` is where the requests seem to come from."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=ASGITransport(app, client=(address, 4711)), base_url="http://auth.test") as http,
    ):
        yield Auth(app, http)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def problem(response: httpx.Response) -> str:
    """The code of a problem document, after a look at its shape."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    document = response.json()
    assert document["status"] == response.status_code
    assert document["type"] == f"urn:mayfly:problem:{document['code']}"
    return str(document["code"])


def oauth_error(response: httpx.Response) -> str:
    """The code of an error below `/oauth2/`, after a look at its shape (RFC 6749 §5.2)."""
    assert response.headers["content-type"] == "application/json", response.text
    assert response.headers["cache-control"] == "no-store"
    assert int(response.headers["content-length"]) == len(response.content)
    body = response.json()
    assert body.keys() == {"error", "error_description"}
    assert body["error_description"].isascii()
    return str(body["error"])
