"""The stack that `docker compose up` brings up, seen through its gateway. It is left as it was found: running."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.containers import containers_of, docker, inspect
from tests.support.job_client import JobClient
from tests.support.names import unique_name
from tests.support.survival import jobs_survive
from tests.support.system import System

pytestmark = pytest.mark.compose
OURS = ("auth", "processor", "worker")


@pytest.fixture
async def client(system: System) -> AsyncIterator[JobClient]:
    client = JobClient([system.processor_url], await system.token())
    yield client
    await client.close()


async def test_jobs_survive_a_worker_and_a_processor_that_are_killed(client: JobClient) -> None:
    killed = [(await containers_of(service))[0] for service in ("worker", "processor")]

    async def kill() -> None:
        await docker("kill", "--signal", "KILL", *killed)
        await docker("start", *killed)

    await jobs_survive(client, unique_name("compose"), kill)


async def test_a_revoked_token_is_refused_through_the_gateway(system: System) -> None:
    headers = {"authorization": f"Bearer {await system.token()}"}
    async with httpx.AsyncClient(base_url=system.auth_url) as gateway:
        assert (await gateway.get("/api/process", headers=headers)).status_code == 200
        assert (await gateway.post("/api/logout", headers=headers)).is_success
        metadata = (await gateway.get("/.well-known/oauth-authorization-server")).json()
        await asyncio.sleep(metadata["revocation_max_staleness"])
        assert (await gateway.get("/api/process", headers=headers)).status_code == 401


async def test_metadata_names_addresses_that_a_client_reaches(system: System) -> None:
    async with httpx.AsyncClient() as client:
        metadata = (await client.get(f"{system.auth_url}/.well-known/oauth-authorization-server")).json()
        assert metadata["issuer"] == system.auth_url
        assert (await client.get(metadata["jwks_uri"])).json()["keys"]


@pytest.mark.parametrize("service", OURS)
async def test_our_containers_are_not_root_and_hold_only_their_own_service(service: str) -> None:
    [container, *_] = await containers_of(service)
    found = await inspect(container)
    assert found["Config"]["User"] == "10001"
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    other = "processor" if service == "auth" else "auth"
    code = (
        f"import importlib.util as u; print(u.find_spec('services.{other}'), u.find_spec('pip'), u.find_spec('pytest'))"
    )
    assert await docker("exec", container, "python", "-c", code) == "None None None"


async def test_only_the_gateway_and_s3_are_reached_from_outside_and_only_from_here() -> None:
    for service in ("auth", "processor", "worker", "redis"):
        for container in await containers_of(service):
            assert not (await inspect(container))["HostConfig"]["PortBindings"]
    for service in ("gateway", "localstack"):
        [container] = await containers_of(service)
        for bindings in (await inspect(container))["HostConfig"]["PortBindings"].values():
            assert [binding["HostIp"] for binding in bindings] == ["127.0.0.1"]


async def test_a_replica_that_is_stopped_loses_no_request(client: JobClient) -> None:
    """SIGTERM in the middle of traffic: the gateway stops sending there, what is under way ends, the exit code is 0."""
    [container, *_] = await containers_of("processor")
    answers: list[int] = []

    async def traffic() -> None:
        while True:
            answers.append((await client.ask("GET", "/api/process")).status_code)

    tasks = [asyncio.create_task(traffic()) for _ in range(4)]
    await asyncio.sleep(0.5)
    await docker("stop", "--time", "30", container)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    exit_code = (await inspect(container))["State"]["ExitCode"]
    await docker("start", container)
    await client.ask("GET", "/api/process")
    assert set(answers) == {200}
    assert exit_code == 0
