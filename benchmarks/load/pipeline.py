"""Pipelines over large objects, S3 to S3 through one worker, beside the floor and beside other ways to do the same.

The floor is reading the input by ranges, four at once, and writing a result of the same size. The S3 server is the
embedded emulator with its objects in memory. The peers (`benchmarks.load.peers`) read the whole object in one piece.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.load.jobs import BUCKET, INPUTS, Ended, Jobs, forget_peak, peak_megabytes, running
from benchmarks.load.records import orders
from shared.clients.aws_types import S3Client
from shared.testing.aws_emulator import REPOSITORY

RANGE_BYTES = 8 * 1024 * 1024
RANGES_AT_ONCE = 4
RUNS = 3
PEERS = ("plain_python", "with_polars", "with_pyarrow")
PEERS_PYTHON = REPOSITORY / ".venv-bench" / "bin" / "python"
PIPELINES: dict[str, dict[str, object]] = {
    "filter": {"filter_condition": "status = 'paid' AND amount > 500", "stamp": False},
    "aggregate": {
        "transformations": [
            {"aggregate": {"by": ["country"], "measures": {"revenue": "SUM(amount)", "orders": "COUNT(*)"}}}
        ],
        "stamp": False,
    },
}


@dataclass(frozen=True)
class Workload:
    kind: str
    megabytes: int
    pipeline: str
    goal: str = ""

    @property
    def name(self) -> str:
        return f"{self.megabytes}.{self.kind}"

    @property
    def key(self) -> str:
        return INPUTS + self.name

    @property
    def source(self) -> str:
        return f"s3://{BUCKET}/{self.key}"


WORKLOADS = (
    Workload("ndjson", 200, "filter", "goal <= 3"),
    Workload("ndjson", 200, "aggregate"),
    Workload("ndjson", 1000, "filter", "goal <= 1.5"),
    Workload("ndjson", 1000, "aggregate"),
    Workload("json", 1000, "filter"),
    Workload("csv", 1000, "filter"),
    Workload("parquet", 1000, "filter"),
    Workload("ndjson", 4000, "filter"),
)
_MOST_FOR_PEERS = 1000  # beyond, plain Python needs more memory than most machines have


@dataclass(frozen=True)
class Bench:
    """The running system. `worker` is the process that does the jobs."""

    jobs: Jobs
    worker: int

    @property
    def s3(self) -> S3Client:
        return self.jobs.s3

    async def job(self, workload: Workload) -> Ended:
        return await self.jobs.run(workload.source, PIPELINES[workload.pipeline])

    async def floor(self, workload: Workload, size: int, result: bytes) -> float:
        """Seconds to read the input by ranges and to write a result of the real size."""
        places = asyncio.Semaphore(RANGES_AT_ONCE)

        async def part(start: int) -> None:
            async with places:
                end = min(start + RANGE_BYTES, size) - 1
                answer = await self.s3.get_object(Bucket=BUCKET, Key=workload.key, Range=f"bytes={start}-{end}")
                await answer["Body"].read()

        began = time.perf_counter()
        await asyncio.gather(*(part(start) for start in range(0, size, RANGE_BYTES)))
        await self.s3.put_object(Bucket=BUCKET, Key="bench/floor", Body=result)
        return time.perf_counter() - began

    async def result(self, location: str) -> bytes:
        """The bytes of all its parts."""
        found = await self.s3.list_objects_v2(Bucket=BUCKET, Prefix=urlsplit(location).path.lstrip("/"))
        parts = [await self.s3.get_object(Bucket=BUCKET, Key=one["Key"]) for one in found["Contents"]]
        return b"".join([await part["Body"].read() for part in parts])

    async def peer(self, name: str, workload: Workload) -> dict[str, float] | None:
        """Its seconds and its peak of memory; None where it can't do that."""
        urls = [
            await self.s3.generate_presigned_url(method, Params={"Bucket": BUCKET, "Key": key})
            for method, key in (("get_object", workload.key), ("put_object", "bench/peer"))
        ]
        command = [str(PEERS_PYTHON), "-m", f"benchmarks.load.peers.{name}", workload.kind, workload.pipeline, *urls]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY, stdout=pipe, stderr=pipe)
        output, errors = await process.communicate()
        if process.returncode:
            assert b"KeyError" in errors, errors.decode()  # it knows no such format
            return None
        figures: dict[str, float] = json.loads(output)
        return figures


async def measure(bench: Bench, workload: Workload, folder: Path) -> None:
    data = orders(workload.kind, workload.megabytes, folder)
    size = len(data)
    await bench.jobs.put(workload.name, data)
    del data
    await bench.job(workload)
    forget_peak(bench.worker)
    ratios, jobs, floors = [], [], []
    for _ in range(RUNS):
        ended = await bench.job(workload)
        at_least = await bench.floor(workload, size, await bench.result(ended.result_location))
        jobs.append(ended.seconds)
        floors.append(at_least)
        ratios.append(ended.seconds / at_least)
    least, mine = statistics.median(floors), statistics.median(jobs)
    print(f"{workload.megabytes:,} MB, {workload.kind}, {workload.pipeline}: {size / 1e6:,.0f} MB, floor {least:.2f} s")
    peak = peak_megabytes(bench.worker)
    print(f"  {'mayfly':14} {mine:7.2f} s   {statistics.median(ratios):6.2f}   {peak:7,.0f} MB   {workload.goal}")
    for name in PEERS if workload.megabytes <= _MOST_FOR_PEERS else ():
        figures = await bench.peer(name, workload)
        if figures is not None:
            seconds, peak = figures["seconds"], figures["peak_megabytes"]
            print(f"  {name:14} {seconds:7.2f} s   {seconds / least:6.2f}   {peak:7,.0f} MB")
    sys.stdout.flush()
    await bench.s3.delete_object(Bucket=BUCKET, Key=workload.key)


async def measure_all() -> None:
    print("seconds from submit to result; by the floor of the same run; peak memory of the process that works")
    with tempfile.TemporaryDirectory() as folder:
        for workload in WORKLOADS:
            async with running(Path(folder) / f"{workload.name}-{workload.pipeline}", workers=1) as jobs:
                [worker] = jobs.stack.of_kind("worker")
                await measure(Bench(jobs, worker.child.pid), workload, Path(folder))


def main() -> None:
    asyncio.run(measure_all())


if __name__ == "__main__":
    main()
