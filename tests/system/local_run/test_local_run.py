"""What `make run` does, seen from outside: its console, its ports, its processes."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.local.welcome import DEMO_CLIENT, DEMO_USERS
from tests.support.local_run import LocalRun, free_port_settings, local_run
from tests.support.process_table import children_of, process_runs
from tests.support.waiting import eventually

# Whether anything outlives a run is told by the process table, which only Linux shows as files. CI runs on Linux.
pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks processes up in Linux's /proc")


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalRun]:
    """One run for the tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("local")
    async with local_run(folder / "state", free_port_settings(), folder / "console.log") as run:
        yield run


async def shell(script: str) -> str:
    process = await asyncio.create_subprocess_exec("bash", "-c", script, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output.decode()


async def refused(run: LocalRun) -> str:
    """The one line of a run that does not start; it exits with 1."""
    assert await run.ends_by_itself() == 1
    (line,) = run.output.splitlines()
    return line


async def test_the_printed_commands_log_in_and_run_a_job(running: LocalRun) -> None:
    job = json.loads(await shell(running.commands()))
    assert job["status"]["status"] == "completed"
    assert job["status"]["output_size"] == 100


@pytest.mark.parametrize("username", DEMO_USERS)
async def test_every_printed_user_can_log_in(running: LocalRun, username: str) -> None:
    async with httpx.AsyncClient(base_url=running.url("AUTH_PORT")) as client:
        answer = await client.post("/api/login", json={"username": username, "password": DEMO_USERS[username]})
    assert answer.status_code == 200
    assert f"{username} / {DEMO_USERS[username]}" in running.output


async def test_the_printed_client_gets_a_token(running: LocalRun) -> None:
    async with httpx.AsyncClient(base_url=running.url("AUTH_PORT"), auth=DEMO_CLIENT) as client:
        answer = await client.post("/oauth2/token", data={"grant_type": "client_credentials"})
    assert answer.json()["token_type"] == "Bearer"
    assert " / ".join(DEMO_CLIENT) in running.output


async def test_a_second_run_in_the_same_folder_is_refused_and_names_the_first(
    running: LocalRun, tmp_path: Path
) -> None:
    second = LocalRun(running.folder, free_port_settings(), tmp_path / "console.log")
    line = await refused(second)
    assert f"another `make run` (process {running.child.pid}) uses {running.folder}/" in line


async def test_a_taken_port_is_named_with_its_setting(running: LocalRun, tmp_path: Path) -> None:
    taken = {**free_port_settings(), "MAYFLY_AUTH_PORT": running.ports["MAYFLY_AUTH_PORT"]}
    line = await refused(LocalRun(tmp_path / "state", taken, tmp_path / "console.log"))
    assert f"already taken on this machine: port {taken['MAYFLY_AUTH_PORT']} (MAYFLY_AUTH_PORT)" in line


async def test_a_missing_redis_server_is_named_with_its_setting(tmp_path: Path) -> None:
    settings = {**free_port_settings(), "MAYFLY_REDIS_SERVER": "no-such-server"}
    assert "MAYFLY_REDIS_SERVER" in await refused(LocalRun(tmp_path / "state", settings, tmp_path / "console.log"))


async def test_a_port_that_is_no_number_is_named(tmp_path: Path) -> None:
    settings = {**free_port_settings(), "MAYFLY_AWS_PORT": "http"}
    assert "MAYFLY_AWS_PORT" in await refused(LocalRun(tmp_path / "state", settings, tmp_path / "console.log"))


async def test_a_start_that_fails_half_way_leaves_nothing_running(tmp_path: Path) -> None:
    settings = {**free_port_settings(), "MAYFLY_CLOCK_SKEW_SECONDS": "-1"}
    run = LocalRun(tmp_path / "state", settings, tmp_path / "console.log")
    assert await run.ends_by_itself() == 1
    assert "MAYFLY_CLOCK_SKEW_SECONDS" in run.output.splitlines()[-1]
    assert [port for port in run.ports.values() if await listens(port)] == []


async def test_an_instance_that_dies_is_started_again(running: LocalRun) -> None:
    (worker_pid,) = await asyncio.to_thread(children_of, running.child.pid, "services.processor.worker")
    os.kill(worker_pid, signal.SIGKILL)

    async def is_back() -> bool:
        return "worker     is back after" in running.output

    await eventually(is_back, timeout_seconds=20.0)
    assert "worker     ended (signal 9); an instance may die at any moment" in running.output


async def test_ctrl_c_during_the_start_leaves_nothing_running(tmp_path: Path) -> None:
    run = LocalRun(tmp_path / "state", free_port_settings(), tmp_path / "console.log")
    await run.child.start()
    try:
        await run.says("aws        ready")
        os.kill(run.child.pid, signal.SIGINT)
        assert await asyncio.wait_for(run.child.wait(), 60) == 0
    finally:
        await run.child.kill()
    assert [port for port in run.ports.values() if await listens(port)] == []


async def test_a_second_ctrl_c_kills_at_once(tmp_path: Path) -> None:
    async with local_run(tmp_path / "state", free_port_settings(), tmp_path / "console.log") as run:
        pids = await asyncio.to_thread(children_of, run.child.pid)
        os.kill(run.child.pid, signal.SIGINT)
        await run.says("Ending.")
        os.kill(run.child.pid, signal.SIGINT)
        assert await asyncio.wait_for(run.child.wait(), 5) == 130

        async def all_gone() -> bool:
            return not any(process_runs(pid) for pid in pids)

        await eventually(all_gone)


async def test_sessions_and_results_survive_ctrl_c_and_a_restart(tmp_path: Path) -> None:
    ports = free_port_settings()
    async with local_run(tmp_path / "state", ports, tmp_path / "one.log") as first:
        token, job_id = (await shell(f'{first.commands()} >/dev/null; echo "$TOKEN $JOB"')).split()
        pids = await asyncio.to_thread(children_of, first.child.pid)
        os.kill(first.child.pid, signal.SIGINT)
        assert await asyncio.wait_for(first.child.wait(), 60) == 0
    assert len(pids) == 5
    assert [pid for pid in pids if process_runs(pid)] == []
    async with local_run(tmp_path / "state", ports, tmp_path / "two.log") as second, httpx.AsyncClient() as client:
        caller = {"authorization": f"Bearer {token}", "accept": "application/json"}
        assert (await client.get(f"{second.url('AUTH_PORT')}/api/me", headers=caller)).status_code == 200
        result = await client.get(f"{second.url('PROCESSOR_PORT')}/api/results/{job_id}", headers=caller)
        part = await client.get(result.json()["parts"][0]["url"])
        assert len(part.content) == result.json()["parts"][0]["bytes"]


async def test_nothing_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    async with local_run(tmp_path / "state", free_port_settings(), tmp_path / "console.log") as run:
        pids = await asyncio.to_thread(children_of, run.child.pid)
        assert len(pids) == 5
        os.kill(run.child.pid, signal.SIGKILL)
        await run.child.wait()

        async def all_gone() -> bool:
            return not any(process_runs(pid) for pid in pids)

        await eventually(all_gone, timeout_seconds=20.0)  # the emulator saves its state first


async def listens(port: str) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", int(port))
    except OSError:
        return False
    writer.close()
    return True
