"""The promise in one scenario: instances die under jobs, and every job ends once, in the bytes of a quiet run."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.support.job_client import JobClient, orders

JOBS = 4
RECORDS = 80_000
CONFIG = {
    "filter_condition": "status = 'paid' AND amount > 100",
    "transformations": [{"derive": {"cents": "CAST(round(amount * 100) AS BIGINT)"}}, {"sort": ["-cents", "id"]}],
    "stamp": False,
}


async def jobs_survive(client: JobClient, run: str, kill: Callable[[], Awaitable[None]]) -> None:
    """Run the same work quietly and then with `kill` in its middle, and compare what clients get."""
    sources = [await client.upload(f"{n}.ndjson", orders(RECORDS, n * RECORDS)) for n in range(JOBS)]
    golden = [await _run(client, f"{run}-quiet-{n}", source) for n, source in enumerate(sources)]
    ids = [f"{run}-killed-{n}" for n in range(JOBS)]
    for processing_id, source in zip(ids, sources, strict=True):
        await client.submit(processing_id, source, CONFIG)
    await client.until_running(ids[0])
    await kill()
    async with asyncio.timeout(120):
        statuses = [await client.finished(processing_id) for processing_id in ids]
    assert [status["status"] for status in statuses] == ["completed"] * JOBS, statuses
    assert [await client.result(processing_id) for processing_id in ids] == golden
    # Asked for again, each is the same job and not another one.
    for processing_id, source in zip(ids, sources, strict=True):
        body = {"processing_id": processing_id, "data_source": source, "config": CONFIG}
        assert (await client.ask("POST", "/api/process", body=body)).json()["processing_id"] == processing_id


async def _run(client: JobClient, processing_id: str, source: str) -> bytes:
    await client.submit(processing_id, source, CONFIG)
    status = await client.finished(processing_id)
    assert status["status"] == "completed", status
    return await client.result(processing_id)
