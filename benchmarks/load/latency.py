"""Login, submit and status at 1 and at 32 connections, over real sockets."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.load.client import CREDENTIALS, Connection, log_in, milliseconds, percentile
from shared.testing.stack import Stack

REQUESTS = {1: 60, 32: 320}
JOB = {"data_source": "test", "config": {}}
# All log in as one user from one address: tries that are under way count as wrong ones until they are checked.
ONE_USER = {f"MAYFLY_ATTEMPTS_FREE_PER_{each}": "1000" for each in ("PAIR", "USER", "ADDRESS")}


async def timed(url: str, connections: int, ask: Callable[[Connection], Awaitable[int]]) -> list[float]:
    """Milliseconds of each request; a refusal for overload (429) counts as an answer and is reported apart."""
    each = REQUESTS[connections] // connections

    async def one() -> list[float]:
        connection, took = Connection(url), []
        for _ in range(each):
            began = milliseconds()
            status = await ask(connection)
            assert status in {200, 202, 429}, status
            if status != 429:
                took.append(milliseconds() - began)
        connection.close()
        return took

    return [value for values in await asyncio.gather(*(one() for _ in range(connections))) for value in values]


async def measure() -> list[tuple[str, int, list[float]]]:
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), auths=1, processors=1, workers=1, settings=ONE_USER) as stack:
            token = await log_in(stack.auth_url)
            job = Connection(stack.processor_url)
            _, accepted = await job.ask("POST", "/api/process", token=token, body=JOB, prefer="wait=30")
            status_path = f"/api/status/{accepted['processing_id']}"

            async def login(connection: Connection) -> int:
                return (await connection.ask("POST", "/api/login", body=CREDENTIALS))[0]

            async def submit(connection: Connection) -> int:
                answer = await connection.ask("POST", "/api/process", token=token, body=JOB, prefer="respond-async")
                return answer[0]

            async def status(connection: Connection) -> int:
                return (await connection.ask("GET", status_path, token=token))[0]

            asks = [("status", stack.processor_url, status), ("login", stack.auth_url, login)]
            asks.append(("submit", stack.processor_url, submit))
            return [
                (name, connections, await timed(url, connections, ask))
                for name, url, ask in asks
                for connections in REQUESTS
            ]


def main() -> None:
    print("Answered requests over real sockets (ms; overloaded logins get 429 and are not counted)")
    print("  route    connections  answered      p50      p99")
    for name, connections, values in asyncio.run(measure()):
        p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
        print(f"  {name:8} {connections:11} {len(values):9} {p50:8.1f} {p99:8.1f}")


if __name__ == "__main__":
    main()
