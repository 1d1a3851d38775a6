"""A processor and workers in this process, over ASGI, on real stores."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
from fastapi import FastAPI

from services.processor.main import create_app as create_processor
from services.processor.resources import Stores, open_stores
from services.processor.settings import ProcessorSettings
from services.processor.worker.app import create_app as create_worker
from shared.testing.tokens import TokenFactory
from tests.support.waiting import eventually


@asynccontextmanager
async def living(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An application in its lifespan, and a client of it."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://processor.test", timeout=30) as http:
            yield http


def ready(http: httpx.AsyncClient) -> Callable[[], Awaitable[bool]]:
    async def is_ready() -> bool:
        return bool((await http.get("/readyz")).status_code == HTTPStatus.OK)

    return is_ready


@dataclass
class Processor:
    """`http` asks as `owner`."""

    settings: ProcessorSettings
    tokens: TokenFactory
    http: httpx.AsyncClient
    stores: Stores
    owner: str

    def headers_of(self, owner: str, **claims: object) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens.mint(sub=owner, **claims)}"}

    async def put(self, name: str, content: bytes) -> str:
        """An object below the owner's inputs; gives its URL."""
        key = f"inputs/{self.owner}/{name}"
        await self.stores.s3.put_object(Bucket=self.settings.bucket, Key=key, Body=content)
        return f"s3://{self.settings.bucket}/{key}"

    async def submit(
        self, data_source: object, config: object = None, *, processing_id: str | None = None, prefer: str = "wait=20"
    ) -> httpx.Response:
        body = {"data_source": data_source, "config": config or {}}
        if processing_id is not None:
            body["processing_id"] = processing_id
        return await self.http.post("/api/process", json=body, headers={"prefer": prefer})

    async def status(self, processing_id: str, *, wait: int = 0) -> dict[str, Any]:
        answer = await self.http.get(f"/api/status/{processing_id}", params={"wait": wait})
        assert answer.status_code == 200, answer.text
        status: dict[str, Any] = answer.json()["status"]
        return status

    async def manifest(self, processing_id: str) -> dict[str, Any] | None:
        key = f"jobs/{self.owner}/{processing_id}/manifest.json"
        found = await self.stores.s3.list_objects_v2(Bucket=self.settings.bucket, Prefix=key)
        if not found["KeyCount"]:
            return None
        manifest: dict[str, Any] = json.loads(await self.read(key))
        return manifest

    async def read(self, key: str) -> bytes:
        answer = await self.stores.s3.get_object(Bucket=self.settings.bucket, Key=key)
        async with answer["Body"] as body:
            content: bytes = await body.read()
            return content

    async def result(self, processing_id: str) -> bytes:
        """The bytes of all parts, in order."""
        manifest = await self.manifest(processing_id)
        assert manifest is not None
        return b"".join([await self.read(part["key"]) for part in manifest["parts"]])


@asynccontextmanager
async def processor(settings: ProcessorSettings, tokens: TokenFactory, owner: str) -> AsyncIterator[Processor]:
    async with open_stores(settings) as stores, living(create_processor(settings)) as http:
        running = Processor(settings, tokens, http, stores, owner)
        http.headers.update(running.headers_of(owner))
        await eventually(ready(http), timeout_seconds=10)
        yield running


def worker(settings: ProcessorSettings) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """A worker, as an async context manager that gives a client of its health and metrics."""
    return living(create_worker(settings))
