"""A large job whose workers are killed again and again, beside a quiet run of it: the same bytes, in flat memory.

    python -m benchmarks.load.kills [megabytes] [seconds between two kills]

Two workers; in turns one of them gets SIGKILL and another process takes its place. A run that takes too long fails.
"""

import argparse
import asyncio
import contextlib
import itertools
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load.jobs import Ended, Jobs, peak_megabytes, running, told
from benchmarks.load.records import orders
from shared.testing.instances import Instance

WORKERS = 2
MEGABYTES, KILL_EVERY_SECONDS = 1000, 3.0
CONFIG = {"filter_condition": "status = 'paid' AND amount > 500", "stamp": False}
# What a dead worker had is free after this; the default of 15 s is for machines whose clocks and networks differ.
LEASE_SECONDS = 3
SETTINGS = {
    "MAYFLY_LEASE_SECONDS": str(LEASE_SECONDS),
    "MAYFLY_SWEEP_AFTER_SECONDS": str(LEASE_SECONDS),
    "MAYFLY_SWEEP_INTERVAL_SECONDS": "1",
}
_LEAST_BOUND_SECONDS, _MEGABYTES_A_SECOND = 120, 4
_LOOK_SECONDS = 0.1


@dataclass
class Watch:
    """What became of the workers during a run. `peaks`: megabytes, one for each process."""

    kills: int = 0
    takeovers: float = 0
    peaks: dict[int, float] = field(default_factory=dict)

    def look_at(self, workers: list[Instance]) -> None:
        for worker in workers:
            if worker.child.running:
                with contextlib.suppress(OSError, StopIteration):  # it has ended just now
                    self.peaks[worker.child.pid] = peak_megabytes(worker.child.pid)

    async def count_takeovers(self, worker: Instance) -> None:
        """Before it is killed: it takes its numbers with it."""
        with contextlib.suppress(httpx.HTTPError):
            self.takeovers += sum((await told(worker.url, "mayfly_lease_takeovers_total")).values())


@dataclass(frozen=True)
class Run:
    ended: Ended
    parts: list[dict[str, Any]]
    watch: Watch


async def kill_in_turns(workers: list[Instance], every_seconds: float, watch: Watch) -> None:
    for worker in itertools.cycle(workers):
        await asyncio.sleep(every_seconds)
        await watch.count_takeovers(worker)
        await worker.kill()
        watch.kills += 1
        await worker.start()


async def look_on_and_on(workers: list[Instance], watch: Watch) -> None:
    while True:
        watch.look_at(workers)
        await asyncio.sleep(_LOOK_SECONDS)


@contextlib.asynccontextmanager
async def beside(*tasks: "asyncio.Task[None]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            assert isinstance(end, asyncio.CancelledError), end


async def run(jobs: Jobs, source: str, *, kill_every_seconds: float | None, bound_seconds: float) -> Run:
    watch, workers = Watch(), jobs.stack.of_kind("worker")
    tasks = [asyncio.create_task(look_on_and_on(workers, watch))]
    if kill_every_seconds is not None:
        tasks.append(asyncio.create_task(kill_in_turns(workers, kill_every_seconds, watch)))
    async with asyncio.timeout(bound_seconds), beside(*tasks):
        ended = await jobs.run(source, CONFIG)
    for worker in workers:
        if not worker.child.running:
            await worker.start()
        await watch.count_takeovers(worker)
    parts = await jobs.parts(ended.processing_id)
    for part in parts:
        assert await jobs.digest(part["key"]) == part["sha256"], part
    return Run(ended, parts, watch)


def told_apart(parts: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(part["sha256"], part["bytes"], part["records"]) for part in parts]


def show(name: str, one: Run) -> None:
    watch, peaks = one.watch, sorted(one.watch.peaks.values())
    print(
        f"  {name:8} {one.ended.seconds:8.1f} {watch.kills:7} {watch.takeovers:11.0f} {len(peaks):10}"
        f" {peaks[len(peaks) // 2]:12,.0f} {peaks[-1]:8,.0f}"
    )


async def measure(megabytes: int, kill_every_seconds: float) -> None:
    bound = _LEAST_BOUND_SECONDS + megabytes / _MEGABYTES_A_SECOND
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder), workers=WORKERS, settings=SETTINGS) as jobs:
            source = await jobs.put("orders.ndjson", orders("ndjson", megabytes, Path(folder)))
            print("  run       seconds   kills   takeovers  processes   peak: median      max (MB of one process)")
            quiet = await run(jobs, source, kill_every_seconds=None, bound_seconds=bound)
            show("quiet", quiet)
            killed = await run(jobs, source, kill_every_seconds=kill_every_seconds, bound_seconds=bound)
            show("killed", killed)
    assert told_apart(killed.parts) == told_apart(quiet.parts), "the results differ"
    size, records = (sum(part[what] for part in killed.parts) for what in ("bytes", "records"))
    print(f"  same bytes: {len(killed.parts)} parts, {records:,} records, {size / 1e6:,.0f} MB, each SHA-256 as stated")
    print(f"  time by the quiet run's: {killed.ended.seconds / quiet.ended.seconds:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("megabytes", type=int, nargs="?", default=MEGABYTES)
    parser.add_argument("kill_every_seconds", type=float, nargs="?", default=KILL_EVERY_SECONDS)
    options = parser.parse_args()
    size, every = options.megabytes, options.kill_every_seconds
    print(
        f"{size:,} MB of NDJSON, {WORKERS} workers, leases of {LEASE_SECONDS} s; killed: one of them every {every:g} s"
    )
    asyncio.run(measure(size, every))


if __name__ == "__main__":
    main()
