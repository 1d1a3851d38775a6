"""A login storm: many more logins at once than passwords can be checked. What do they get, what do others notice?

Goals: never more hashes at once than the bound, what is beyond it answered 429 within 50 ms, and a request with a token
meanwhile within 1.5 times its quiet p99.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.load.client import CREDENTIALS, Connection, log_in, milliseconds, percentile
from shared.testing.stack import Stack

SECONDS = 10
STORM_CONNECTIONS = 64
THREADS, QUEUE = 1, 8
PAUSE_SECONDS = 0.02
SETTINGS: Mapping[str, str] = {
    "MAYFLY_PASSWORD_THREADS": str(THREADS),
    "MAYFLY_PASSWORD_QUEUE": str(QUEUE),
    # All are one user at one address here.
    **{f"MAYFLY_ATTEMPTS_FREE_PER_{each}": "1000000" for each in ("PAIR", "USER", "ADDRESS")},
}


@dataclass
class Storm:
    """Milliseconds of the answers by their status, of requests with a token before and during, and the gauge's peak."""

    by_status: dict[int, list[float]] = field(default_factory=dict)
    quiet: dict[int, list[float]] = field(default_factory=dict)
    meanwhile: dict[int, list[float]] = field(default_factory=dict)
    most_waiting: float = 0


async def measure() -> Storm:
    storm = Storm()
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), auths=1, processors=1, workers=1, settings=SETTINGS) as stack:
            token = await log_in(stack.auth_url)
            await _authenticated(stack.auth_url, token, storm.quiet)
            await asyncio.gather(
                _authenticated(stack.auth_url, token, storm.meanwhile),
                _watch(stack.auth_url, storm),
                *(_log_in_on_and_on(stack.auth_url, storm.by_status) for _ in range(STORM_CONNECTIONS)),
            )
    return storm


async def _authenticated(url: str, token: str, took: dict[int, list[float]]) -> None:
    connection, until = Connection(url), milliseconds() + SECONDS * 1000
    while milliseconds() < until:
        began = milliseconds()
        status, _ = await connection.ask("GET", "/api/me", token=token)
        took.setdefault(status, []).append(milliseconds() - began)
        await asyncio.sleep(PAUSE_SECONDS)
    connection.close()


async def _log_in_on_and_on(url: str, by_status: dict[int, list[float]]) -> None:
    """Whoever is refused comes again after a tenth of what was asked for, as impatient people do."""
    connection, until = Connection(url), milliseconds() + SECONDS * 1000
    while milliseconds() < until:
        began = milliseconds()
        status, _ = await connection.ask("POST", "/api/login", body=CREDENTIALS)
        by_status.setdefault(status, []).append(milliseconds() - began)
        if status == 429:
            await asyncio.sleep(0.1)
    connection.close()


async def _watch(url: str, storm: Storm) -> None:
    """The gauge `mayfly_passwords_waiting`: those that are checked and those that wait for it."""
    until = milliseconds() + SECONDS * 1000
    async with httpx.AsyncClient(base_url=url) as http:
        while milliseconds() < until:
            lines = (await http.get("/metrics")).text.splitlines()
            (value,) = [line.split()[1] for line in lines if line.startswith("mayfly_passwords_waiting ")]
            storm.most_waiting = max(storm.most_waiting, float(value))
            await asyncio.sleep(0.25)


def main() -> None:
    storm = asyncio.run(measure())
    print(f"{STORM_CONNECTIONS} connections log in without end, {THREADS} thread and a queue of {QUEUE} (ms)")
    print("  answer     count      p50      p99      max")
    for status, values in sorted(storm.by_status.items()):
        print(f"  {status:6} {len(values):9} {_row(values)}   {'goal < 50' if status == 429 else ''}")
    print(f"  most passwords at once, checked and waiting: {storm.most_waiting:.0f} (bound {THREADS + QUEUE})")
    quiet, meanwhile = storm.quiet[200], storm.meanwhile[200]
    others = {status: len(values) for status, values in storm.meanwhile.items() if status != 200}
    ratio = percentile(meanwhile, 0.99) / percentile(quiet, 0.99)
    print(f"  GET /api/me with a token (other answers than 200: {others or 'none'})")
    print(f"  quiet  {len(quiet):9} {_row(quiet)}")
    print(f"  storm  {len(meanwhile):9} {_row(meanwhile)}   p99 ratio {ratio:.2f} (goal < 1.5)")


def _row(values: list[float]) -> str:
    return f"{percentile(values, 0.5):8.1f} {percentile(values, 0.99):8.1f} {max(values):8.1f}"


if __name__ == "__main__":
    main()
