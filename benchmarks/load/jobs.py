"""Jobs of a running system as a client has them, and what its processes tell of them."""

import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.load.client import Connection, log_in
from shared.clients.aws import open_s3
from shared.clients.aws_types import S3Client
from shared.settings import SharedSettings, load
from shared.testing.stack import Stack

BUCKET = "mayfly-data"
INPUTS = "inputs/user_testuser/bench/"


@dataclass(frozen=True)
class Ended:
    """A job that was done; `seconds` are from submit to done as the client sees it."""

    processing_id: str
    seconds: float
    result_location: str


@dataclass(frozen=True)
class Jobs:
    stack: Stack
    s3: S3Client
    processor: Connection

    async def put(self, name: str, content: bytes) -> str:
        """An input; where it lies."""
        await self.s3.put_object(Bucket=BUCKET, Key=INPUTS + name, Body=content)
        return f"s3://{BUCKET}/{INPUTS}{name}"

    async def submit(self, source: str, config: object, *, prefer: str, dry_run: bool = False) -> tuple[int, Any]:
        token = await log_in(self.stack.auth_url)
        return await self._submit(token, source, config, prefer=prefer, dry_run=dry_run)

    async def run(self, source: str, config: object) -> Ended:
        """With a new token for each question after the first: a job may take longer than a token lives."""
        token, began = await log_in(self.stack.auth_url), time.perf_counter()
        status, answer = await self._submit(token, source, config, prefer="wait=60")
        while status == 202:  # accepted, and not done yet
            found = await self._get(f"/api/status/{answer['processing_id']}?wait=20")
            job = found["status"]
            if job["status"] not in {"accepted", "running"}:
                status, answer = 200 if job["status"] == "completed" else 422, answer | job
        seconds = time.perf_counter() - began
        assert status == 200, answer
        return Ended(answer["processing_id"], seconds, answer["result_location"])

    async def parts(self, processing_id: str) -> list[dict[str, Any]]:
        """The parts of the result in order, as its manifest names them."""
        result = await self._get(f"/api/results/{processing_id}")
        parts: list[dict[str, Any]] = result["manifest"]["parts"]
        return parts

    async def digest(self, key: str) -> str:
        """The SHA-256 of an object's bytes as they lie in S3."""
        found = await self.s3.get_object(Bucket=BUCKET, Key=key)
        sha256 = hashlib.sha256()
        async for chunk in found["Body"].iter_chunks():
            sha256.update(chunk)
        return sha256.hexdigest()

    async def _submit(
        self, token: str, source: str, config: object, *, prefer: str, dry_run: bool = False
    ) -> tuple[int, Any]:
        body = {"data_source": source, "config": config, "dry_run": dry_run}
        return await self.processor.ask("POST", "/api/process", token=token, body=body, prefer=prefer)

    async def _get(self, path: str) -> Any:  # noqa: ANN401 - any answer
        token = await log_in(self.stack.auth_url)
        status, answer = await self.processor.ask("GET", path, token=token, accept="application/json")
        assert status == 200, answer
        return answer


@contextlib.asynccontextmanager
async def running(folder: Path, *, workers: int, settings: Mapping[str, str] | None = None) -> AsyncIterator[Jobs]:
    async with Stack(folder, auths=1, processors=1, workers=workers, settings=settings) as stack:
        access: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        async with open_s3(load(SharedSettings, aws_endpoint_url=stack.aws.url, **access)) as s3:
            yield Jobs(stack, s3, Connection(stack.processor_url))


async def told(url: str, name: str) -> dict[tuple[str, ...], float]:
    """The samples of this name at `/metrics`, by the values of their labels in the order of the labels' names."""
    async with httpx.AsyncClient(timeout=10) as http:
        text = (await http.get(f"{url}/metrics")).text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for sample in samples
        if sample.name == name
    }


def peak_megabytes(pid: int) -> float:
    """Of a process's memory, since it began or was last told to forget."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
