"""A job waits while no worker runs; what became of its caller meanwhile decides whether it runs at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from shared.testing.stack import Stack
from tests.support.job_client import JobClient
from tests.support.names import unique_name
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


@asynccontextmanager
async def nobody_works(stack: Stack) -> AsyncIterator[None]:
    workers = [worker for worker in stack.of_kind("worker") if worker.child.running]
    await asyncio.gather(*(worker.stop() for worker in workers))
    try:
        yield
    finally:
        await asyncio.gather(*(worker.start() for worker in workers))


async def test_a_waiting_job_of_a_revoked_user_is_cancelled_and_of_one_who_logged_out_it_runs(
    stack: Stack, system: System
) -> None:
    job = unique_name("waits")
    async with nobody_works(stack):
        revoked, left = await system.token("testuser"), await system.token("alice")
        for token in (revoked, left):
            client = JobClient([system.processor_url], token)
            await client.submit(job, "test", {})
            await client.close()
        user_id = (await ask_auth(system, revoked, "GET", "/api/me"))["user_id"]
        await ask_auth(system, await system.token("admin"), "POST", f"/api/users/{user_id}/revoke")
        await ask_auth(system, left, "POST", "/api/logout")
    async with client_of(system, "testuser") as client:
        status = await client.finished(job)
        assert (status["status"], status["error"]["code"]) == ("cancelled", "caller-revoked")
    async with client_of(system, "alice") as client:
        assert (await client.finished(job))["status"] == "completed"
