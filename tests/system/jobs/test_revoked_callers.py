"""A job waits while no worker runs; what became of its caller meanwhile decides whether it runs at all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from shared.testing.stack import Stack
from tests.support.job_client import JobClient
from tests.support.system import System


@asynccontextmanager
async def client_of(system: System, username: str) -> AsyncIterator[JobClient]:
    client = JobClient([system.processor_url], await system.token(username))
    yield client
    await client.close()


async def ask_auth(system: System, token: str, method: str, path: str) -> dict[str, object]:
    async with httpx.AsyncClient(base_url=system.auth_url) as http:
        answer = await http.request(method, path, headers={"authorization": f"Bearer {token}"})
        assert answer.is_success, answer.text
        return dict(answer.json()) if answer.content else {}


async def test_a_waiting_job_of_a_revoked_user_is_cancelled_and_of_one_who_logged_out_it_runs(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        system, [worker] = System(stack.auth_url, stack.processor_url), stack.of_kind("worker")
        await worker.stop()
        revoked, left = await system.token("testuser"), await system.token("alice")
        for token in (revoked, left):
            client = JobClient([system.processor_url], token)
            await client.submit("waits", "test", {})
            await client.close()
        user_id = (await ask_auth(system, revoked, "GET", "/api/me"))["user_id"]
        await ask_auth(system, await system.token("admin"), "POST", f"/api/users/{user_id}/revoke")
        await ask_auth(system, left, "POST", "/api/logout")
        await worker.start()
        async with client_of(system, "testuser") as client:
            status = await client.finished("waits")
            assert (status["status"], status["error"]["code"]) == ("cancelled", "caller-revoked")
        async with client_of(system, "alice") as client:
            assert (await client.finished("waits"))["status"] == "completed"
