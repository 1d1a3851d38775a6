from pathlib import Path

from shared.testing.stack import Stack
from tests.support.job_client import JobClient
from tests.support.names import unique_name
from tests.support.survival import jobs_survive
from tests.support.system import System

FAST = {
    "MAYFLY_LEASE_SECONDS": "2",
    "MAYFLY_SWEEP_AFTER_SECONDS": "2",
    "MAYFLY_SWEEP_INTERVAL_SECONDS": "0.5",
    "MAYFLY_PARTITION_BYTES": "2000000",  # several parts, whose rows are sorted in a second stage
}


async def test_jobs_survive_a_worker_and_a_processor_that_are_killed(tmp_path: Path) -> None:
    async with Stack(tmp_path, auths=1, processors=2, workers=2, settings=FAST) as stack:
        token = await System(stack.auth_url, stack.processor_url).token()
        client = JobClient([instance.url for instance in stack.of_kind("processor")], token)

        async def kill() -> None:
            await stack.of_kind("worker")[0].kill()
            await stack.of_kind("processor")[0].kill()

        await jobs_survive(client, unique_name("survive"), kill)
        await client.close()
