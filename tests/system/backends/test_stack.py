import asyncio

import httpx
import pytest

from shared.testing.stack import Stack
from tests.support.process_table import process_runs
from tests.support.system import System


async def ready_status(url: str) -> int:
    async with httpx.AsyncClient(timeout=1.0) as client:
        return (await client.get(f"{url}/readyz")).status_code


async def test_an_instance_may_be_added_hung_killed_and_restarted(stack: Stack) -> None:
    extra = await stack.add("processor", MAYFLY_LOG_LEVEL="debug")
    assert await ready_status(extra.url) == 200
    extra.pause()
    with pytest.raises(httpx.ReadTimeout):
        await ready_status(extra.url)
    extra.resume()
    assert await ready_status(extra.url) == 200
    first_pid = extra.child.pid
    await extra.restart(politely=False)
    assert await ready_status(extra.url) == 200
    assert not await asyncio.to_thread(process_runs, first_pid)
    assert await extra.stop() == 0
    with pytest.raises(httpx.ConnectError):
        await ready_status(extra.url)


async def test_a_demo_user_logs_in_to_the_system(system: System) -> None:
    async with httpx.AsyncClient(base_url=system.processor_url) as client:
        token = await system.token("alice")
        answer = await client.get("/api/process", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
