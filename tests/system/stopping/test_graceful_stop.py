"""SIGTERM: `/readyz` says so at once, what is under way ends, and the exit code is 0."""

import asyncio

import httpx
import pytest

from shared.testing.instances import Kind
from shared.testing.stack import Stack
from tests.support.system import System


@pytest.mark.parametrize("kind", ["auth", "processor", "worker"])
async def test_an_instance_that_is_asked_to_stop_says_so_and_ends_with_zero(stack: Stack, kind: Kind) -> None:
    instance = await stack.add(kind, MAYFLY_DRAIN_SECONDS="2")
    async with httpx.AsyncClient(base_url=instance.url) as client:
        assert (await client.get("/readyz")).status_code == 200
        stopping = asyncio.create_task(instance.stop())
        async with asyncio.timeout(1.5):
            while (await client.get("/readyz")).status_code == 200:
                await asyncio.sleep(0.05)
        assert (await client.get("/readyz")).json()["status"] == "stopping"
        assert (await client.get("/livez")).status_code == 200
        assert await stopping == 0


async def test_a_request_under_way_is_answered_while_its_instance_stops(stack: Stack, system: System) -> None:
    instance = await stack.add("processor")
    headers = {"authorization": f"Bearer {await system.token()}", "prefer": "wait=10"}
    async with httpx.AsyncClient(base_url=instance.url, timeout=20) as client:
        await client.get("/livez")
        body = {"data_source": "test", "config": {}}
        waiting = asyncio.create_task(client.post("/api/process", json=body, headers=headers))
        await asyncio.sleep(0.1)
        assert await instance.stop() == 0
        assert (await waiting).status_code in {200, 202}
