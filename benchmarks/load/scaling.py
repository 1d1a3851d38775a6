"""How fast 1, 2 and 4 workers empty one queue; what a small job takes besides its work; what AWS asks for all that.

Each worker here has one thread and one slot, as on a machine of one core; more workers than cores can't be faster.
Calls are counted by the processes themselves, without the polls of the queue that bring nothing.
"""

import asyncio
import statistics
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.load.client import percentile
from benchmarks.load.jobs import Jobs, running, told
from benchmarks.load.kills import CONFIG
from benchmarks.load.records import orders
from services.processor.domain.costs import PRICES_OF, REGION, Requests

WORKERS = (1, 2, 4)
PARTS_MEGABYTES, PART_BYTES = 160, 8_000_000
ROUNDS = 3
SMALL_JOBS, SMALL_RECORDS = 50, 100
LARGE_MEGABYTES = 1000
NARROW = {
    "MAYFLY_SLOTS": "1",
    "MAYFLY_ENGINE_THREADS": "1",
    "MAYFLY_PARTITION_BYTES": str(PART_BYTES),
}
# So that what is counted belongs to the jobs.
ALONE = {"MAYFLY_SWEEP_INTERVAL_SECONDS": "3600", "MAYFLY_EVENT_INTERVAL_SECONDS": "3600"}
_KINDS = {
    ("s3", "GetObject"): "s3_reads",
    ("s3", "HeadObject"): "s3_reads",
    ("s3", "DeleteObject"): "free",
}
_PAUSE_SECONDS = 0.05
_LAST_CALLS_SECONDS = 1.0  # a job's message is deleted after its end


async def parts_a_second(jobs: Jobs, source: str) -> float:
    ended = [await jobs.run(source, CONFIG) for _ in range(ROUNDS)]
    parts = len(await jobs.parts(ended[0].processing_id))
    return parts / statistics.median(one.seconds for one in ended)


async def measure_workers(folder: Path) -> None:
    print(f"Parts of {PART_BYTES / 1e6:g} MB a second, by workers of one thread on one queue (median of {ROUNDS} jobs)")
    async with running(folder, workers=1, settings=NARROW) as jobs:
        source = await jobs.put("parts.ndjson", orders("ndjson", PARTS_MEGABYTES, folder))
        first = None
        for workers in WORKERS:
            while len(jobs.stack.of_kind("worker")) < workers:
                await jobs.stack.add("worker")
            rate = await parts_a_second(jobs, source)
            first = first or rate
            print(f"  {workers} workers {rate:8.2f}   {rate / first:5.2f} of one")


def as_requests(counted: Counter[tuple[str, ...]], units: Requests) -> Requests:
    """Calls as they are paid; DynamoDB's units, which calls don't show, are those of `units`."""
    kinds: Counter[str] = Counter()
    for (operation, service), number in counted.items():
        kinds[_KINDS.get((service, operation), service)] += number
    return replace(
        units,
        s3_reads=kinds["s3_reads"],
        s3_writes=kinds["s3"],
        dynamodb_calls=kinds["dynamodb"],
        sqs_requests=kinds["sqs"],
    )


async def calls_so_far(jobs: Jobs) -> Counter[tuple[str, ...]]:
    """With as many receives as messages that were worked on."""
    counted: Counter[tuple[str, ...]] = Counter()
    for instance in (*jobs.stack.of_kind("processor"), *jobs.stack.of_kind("worker")):
        counted += Counter(await counted_by(instance.url, "mayfly_aws_call_seconds_count"))
        counted["ReceiveMessage", "sqs"] += sum((await counted_by(instance.url, "mayfly_messages_total")).values())
    return counted


async def counted_by(url: str, name: str) -> dict[tuple[str, ...], int]:
    samples = await told(url, name)
    return {labels: int(value) for labels, value in samples.items() if "ReceiveMessage" not in labels}


async def ended_so_far(jobs: Jobs) -> int:
    """Asked of the worker and not of the processor, which would ask DynamoDB."""
    [worker] = jobs.stack.of_kind("worker")
    return sum((await counted_by(worker.url, "mayfly_jobs_ended_total")).values())


async def estimate_of(jobs: Jobs, source: str) -> Requests:
    _, trial = await jobs.submit(source, CONFIG, prefer="respond-async", dry_run=True)
    told_of: dict[str, Any] = trial["estimate"]
    return Requests(**{name: told_of[name] for name in Requests.__slots__})


async def counted_jobs(jobs: Jobs, source: str, number: int) -> tuple[Requests, Requests]:
    """What so many jobs asked for, and what a dry run says of one."""
    estimate = await estimate_of(jobs, source)
    ended, before = await ended_so_far(jobs), await calls_so_far(jobs)
    for _ in range(number):
        status, answer = await jobs.submit(source, CONFIG, prefer="respond-async")
        assert status == 202, answer
    while await ended_so_far(jobs) < ended + number:  # noqa: ASYNC110 - another process ends them
        await asyncio.sleep(_PAUSE_SECONDS)
    await asyncio.sleep(_LAST_CALLS_SECONDS)
    counted = await calls_so_far(jobs) - before
    units = ("dynamodb_read_units", "dynamodb_write_units")
    of_all = replace(estimate, **{name: getattr(estimate, name) * number for name in units})
    return as_requests(counted, of_all), estimate


def show(name: str, requests: Requests, jobs: int) -> None:
    columns = ("s3_reads", "s3_writes", "dynamodb_calls", "sqs_requests")
    print(f"  {name:18}" + "".join(f"{getattr(requests, column) / jobs:12.2f}" for column in columns))


async def measure_small_jobs(folder: Path) -> None:
    async with running(folder, workers=1, settings=ALONE) as jobs:
        records = orders("ndjson", 1, folder).splitlines(keepends=True)[:SMALL_RECORDS]
        source = await jobs.put("small.ndjson", b"".join(records))
        await jobs.run(source, CONFIG)
        took = [(await jobs.run(source, CONFIG)).seconds * 1000 for _ in range(SMALL_JOBS)]
        print(f"\nA job of {SMALL_RECORDS} records, from POST to its result, {SMALL_JOBS} in a row (ms)")
        print(f"  p50 {percentile(took, 0.5):.0f}   p99 {percentile(took, 0.99):.0f}")
        counted, estimate = await counted_jobs(jobs, source, SMALL_JOBS)
    print("\nAWS calls of one job       s3 reads   s3 writes    dynamodb         sqs")
    show("small, counted", counted, SMALL_JOBS)
    show("small, dry run", estimate, 1)
    calls = counted.s3_reads + counted.s3_writes + counted.dynamodb_calls + counted.sqs_requests
    print(f"  small, all together: {calls / SMALL_JOBS:.2f} (goal <= 12)")
    print(f"  a million of them: {counted.usd / SMALL_JOBS * 1e6:.2f} USD")


async def measure_large_job(folder: Path) -> None:
    async with running(folder, workers=1, settings=ALONE) as jobs:
        content = orders("ndjson", LARGE_MEGABYTES, folder)
        size, source = len(content), await jobs.put("large.ndjson", content)
        del content
        counted, estimate = await counted_jobs(jobs, source, 1)
    show(f"{LARGE_MEGABYTES} MB, counted", counted, 1)
    show(f"{LARGE_MEGABYTES} MB, dry run", estimate, 1)
    print(f"  a TB in such jobs: {counted.usd * 1e12 / size:.2f} USD")
    print(f"  (requests alone, list prices of {REGION}, {PRICES_OF}; DynamoDB's units as the dry run states them)")


async def measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        await measure_workers(Path(folder) / "workers")
        await measure_small_jobs(Path(folder) / "small")
        await measure_large_job(Path(folder) / "large")


def main() -> None:
    asyncio.run(measure())


if __name__ == "__main__":
    main()
