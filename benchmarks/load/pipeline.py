"""200 MB of NDJSON, filtered, S3 to S3 through a worker, against the floor: GET the input by ranges and PUT the result.

The S3 server is the embedded emulator with its objects in memory.
"""

import asyncio
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.load.client import Connection, log_in
from shared.clients.aws import open_s3
from shared.clients.aws_types import S3Client
from shared.settings import SharedSettings, load
from shared.testing.stack import Stack

MEGABYTES = 200
RANGE_BYTES = 8 * 1024 * 1024
RANGES_AT_ONCE = 4
RUNS = 3
KEY = "inputs/user_testuser/bench/records.ndjson"
CONFIG = {"filter_condition": "status = 'paid' AND amount > 500", "stamp": False}


def records() -> bytes:
    dice = random.Random(1)  # noqa: S311 - the same data each time
    lines: list[bytes] = []
    size = 0
    while size < MEGABYTES * 1_000_000:
        record = {
            "order_id": len(lines),
            "status": dice.choice(("paid", "open", "void")),
            "amount": round(dice.random() * 1000, 2),
            "country": dice.choice(("DE", "FR", "US", "JP")),
            "note": f"{dice.getrandbits(256):x}",
        }
        lines.append(json.dumps(record).encode())
        size += len(lines[-1]) + 1
    return b"\n".join(lines) + b"\n"


async def floor(s3: S3Client, bucket: str, size: int, result: bytes) -> float:
    """Seconds to read the input by ranges and to write a result of the real size."""
    places = asyncio.Semaphore(RANGES_AT_ONCE)

    async def part(start: int) -> None:
        async with places:
            end = min(start + RANGE_BYTES, size) - 1
            answer = await s3.get_object(Bucket=bucket, Key=KEY, Range=f"bytes={start}-{end}")
            await answer["Body"].read()

    began = time.perf_counter()
    await asyncio.gather(*(part(start) for start in range(0, size, RANGE_BYTES)))
    await s3.put_object(Bucket=bucket, Key="bench/floor", Body=result)
    return time.perf_counter() - began


async def job(processor: Connection, token: str, bucket: str) -> tuple[float, str, int]:
    """Seconds from submit to done as the client sees it, where the result lies, and how many records came out."""
    body = {"data_source": f"s3://{bucket}/{KEY}", "config": CONFIG}
    began = time.perf_counter()
    status, answer = await processor.ask("POST", "/api/process", token=token, body=body, prefer="wait=60")
    assert status == 200, answer
    return time.perf_counter() - began, answer["result_location"], answer["metadata"]["processed_records"]


async def result(s3: S3Client, bucket: str, location: str) -> bytes:
    """The bytes of all its parts."""
    found = await s3.list_objects_v2(Bucket=bucket, Prefix=urlsplit(location).path.lstrip("/"))
    parts = [await s3.get_object(Bucket=bucket, Key=one["Key"]) for one in found["Contents"]]
    return b"".join([await part["Body"].read() for part in parts])


def peak_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


async def measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), auths=1, processors=1, workers=1) as stack:
            token = await log_in(stack.auth_url)
            data = records()
            settings = load(
                SharedSettings, aws_endpoint_url=stack.aws.url, aws_access_key_id="test", aws_secret_access_key="test"
            )
            bucket = "mayfly-data"
            async with open_s3(settings) as s3:
                await s3.put_object(Bucket=bucket, Key=KEY, Body=data)
                processor = Connection(stack.processor_url)
                await job(processor, token, bucket)
                ratios, jobs, floors, kept = [], [], [], 0
                for _ in range(RUNS):
                    seconds, location, kept = await job(processor, token, bucket)
                    at_least = await floor(s3, bucket, len(data), await result(s3, bucket, location))
                    jobs.append(seconds)
                    floors.append(at_least)
                    ratios.append(seconds / at_least)
            [worker] = stack.of_kind("worker")
            lines = data.count(b"\n")
            print(f"{MEGABYTES} MB of NDJSON ({lines} records, {kept} kept), filter, S3 to S3, embedded S3 in memory")
            print(f"  floor {statistics.median(floors):6.2f} s   job {statistics.median(jobs):6.2f} s")
            print(f"  ratio {statistics.median(ratios):6.2f}     goal <= 3")
            print(f"  peak memory of the worker {peak_megabytes(worker.child.pid):6.0f} MB     goal <= 600")


def main() -> None:
    asyncio.run(measure())


if __name__ == "__main__":
    main()
