"""Token issue, introspection and refresh side by side with node-oidc-provider: CPU of the server's process a request.

Both are one process on this machine and take turns, round by round. node-oidc-provider keeps everything in its own
memory (its fastest way, good for one process only); ours keeps sessions in DynamoDB, as it does in production, and its
share of the calls is in the figure. Two things can't be compared alike: node-oidc-provider can't introspect a JWT, so
it is asked about an opaque token; and what it issues can't be revoked at those who verify it offline.
"""

import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.load.client import CREDENTIALS, Connection, log_in
from shared.testing.processes import Child, inherited_environment
from shared.testing.stack import Stack
from tests.support.third_party import install, missing_tools

CONNECTIONS, REQUESTS, WARMUPS, ROUNDS = 8, 480, 1200, 3
NODE = Path(__file__).parent / "node_oidc_provider"
SECRET = "bench:bench-secret-bench-secret-bench-secret"
_TICKS = os.sysconf("SC_CLK_TCK")

Ask: TypeAlias = Callable[[Connection, int], Awaitable[tuple[int, Any]]]


@dataclass(frozen=True)
class Provider:
    """A running server and how to ask it for each thing; `int` is the connection's number."""

    name: str
    url: str
    pid: int
    asks: dict[str, Ask]


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of the process, as the kernel counts it (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def run(provider: Provider, ask: Ask, requests: int) -> float:
    """CPU seconds of the server for so many requests, on some connections at once."""

    async def one(number: int) -> None:
        connection = Connection(provider.url)
        for _ in range(requests // CONNECTIONS):
            status, answer = await ask(connection, number)
            assert status == 200, (provider.name, status, answer)
        connection.close()

    began = cpu_seconds(provider.pid)
    await asyncio.gather(*map(one, range(CONNECTIONS)))
    return cpu_seconds(provider.pid) - began


def refreshing(path: str, tokens: list[str], more: dict[str, str], credentials: str | None) -> Ask:
    """Each connection refreshes a session of its own, always with the newest token."""

    async def ask(connection: Connection, number: int) -> tuple[int, Any]:
        fields = {"grant_type": "refresh_token", "refresh_token": tokens[number], **more}
        status, answer = await connection.send_form(path, fields, credentials)
        tokens[number] = answer.get("refresh_token", "")
        return status, answer

    return ask


def sending(path: str, fields: dict[str, str], credentials: str) -> Ask:
    return lambda connection, _: connection.send_form(path, fields, credentials)


async def node(stack: AsyncExitStack, algorithm: str, folder: Path) -> Provider:
    log = folder / f"node-{algorithm}.log"
    command = [str(shutil.which("node")), str(NODE / "server.mjs"), algorithm, str(CONNECTIONS)]
    environment = inherited_environment(extra={"NODE_ENV": "production"})
    child = Child("node", command, environment=environment, log_file=log, working_folder=NODE)
    await child.start()
    stack.push_async_callback(child.terminate)
    while '{"port"' not in (text := log.read_text(encoding="utf-8")):
        assert child.running, text
        await asyncio.sleep(0.1)
    ready = json.loads(next(line for line in text.splitlines() if line.startswith('{"port"')))
    url = f"http://127.0.0.1:{ready['port']}"
    issue = {"grant_type": "client_credentials", "scope": "jobs:read"}
    _, opaque = await Connection(url).send_form("/token", {"grant_type": "client_credentials"}, SECRET)
    asks = {
        "issue": sending("/token", {**issue, "resource": "urn:bench"}, SECRET),
        "introspect": sending("/token/introspection", {"token": opaque["access_token"]}, SECRET),
        "refresh": refreshing("/token", ready["refresh_tokens"], {}, SECRET),
    }
    return Provider("node-oidc-provider", url, child.pid, asks)


async def ours(stack: AsyncExitStack, algorithm: str, folder: Path) -> Provider:
    settings = {"MAYFLY_SIGNING_ALGORITHM": algorithm, "MAYFLY_INTROSPECTIONS_PER_SECOND": "100000"}
    running = await stack.enter_async_context(
        Stack(folder / algorithm, auths=1, processors=0, workers=0, settings=settings)
    )
    url = running.auth_url
    registration = {
        "name": "bench",
        "auth_method": "client_secret_basic",
        "grant_types": ["client_credentials"],
        "scope": "jobs:read",
    }
    connection = Connection(url)
    admin = await log_in(url, {"username": "admin", "password": "admin-demo-only"})
    _, client = await connection.ask("POST", "/api/clients", token=admin, body=registration)
    credentials = f"{client['client_id']}:{client['client_secret']}"
    issue = {"grant_type": "client_credentials", "scope": "jobs:read"}
    _, issued = await connection.send_form("/oauth2/token", issue, credentials)
    logins = [await connection.ask("POST", "/api/login", body=CREDENTIALS) for _ in range(CONNECTIONS)]
    asks = {
        "issue": sending("/oauth2/token", issue, credentials),
        "introspect": sending("/oauth2/introspect", {"token": issued["access_token"]}, credentials),
        "refresh": refreshing("/oauth2/token", [answer["refresh_token"] for _, answer in logins], {}, None),
    }
    return Provider("ours", url, running.of_kind("auth")[0].child.pid, asks)


async def measure(algorithm: str) -> dict[str, dict[str, float]]:
    """Milliseconds of CPU a request, the median of rounds that take turns."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        providers = [await ours(stack, algorithm, folder), await node(stack, algorithm, folder)]
        medians: dict[str, dict[str, float]] = {}
        for what in providers[0].asks:
            rounds: dict[str, list[float]] = {provider.name: [] for provider in providers}
            for provider in providers:
                await run(provider, provider.asks[what], WARMUPS)
            for _ in range(ROUNDS):
                for provider in providers:
                    seconds = await run(provider, provider.asks[what], REQUESTS)
                    rounds[provider.name].append(seconds / REQUESTS * 1000)
            medians[what] = {name: statistics.median(values) for name, values in rounds.items()}
    return medians


def main() -> None:
    missing = missing_tools(shutil.which)
    if missing or sys.platform != "linux":
        print(f"not measured: {missing or 'needs /proc'}")
        return
    asyncio.run(install(NODE))
    print("CPU of the server's process, ms a request (median of rounds that take turns; goal: a ratio of at most 1)")
    print("  what                  ours   node-oidc-provider   ratio")
    for algorithm in ("RS256", "ES256"):
        for what, medians in asyncio.run(measure(algorithm)).items():
            mine, theirs = medians["ours"], medians["node-oidc-provider"]
            print(f"  {algorithm} {what:11} {mine:8.3f} {theirs:20.3f} {mine / theirs:7.2f}")


if __name__ == "__main__":
    main()
