from pathlib import Path

import aioboto3
import httpx
import pytest
from redis.asyncio import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.testing.aws_emulator import AwsEmulator
from shared.testing.server import ServerMissing
from shared.testing.valkey import Valkey, server_program

SESSION = aioboto3.Session(region_name="us-east-1", aws_access_key_id="local", aws_secret_access_key="local")


async def test_a_written_key_survives_a_kill_of_the_server(tmp_path: Path) -> None:
    async with Valkey(tmp_path / "redis") as server:
        async with Redis.from_url(server.url, decode_responses=True) as client:
            await client.set("mayfly", "lives")
        await server.restart(politely=False)
        async with Redis.from_url(server.url, decode_responses=True) as client:
            assert await client.get("mayfly") == "lives"


async def test_every_test_gets_an_empty_redis(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0
        await client.set("left", "behind")


async def test_nothing_is_left_by_the_test_before(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0


async def test_a_paused_server_hangs_until_it_is_resumed(valkey: Valkey) -> None:
    valkey.pause()
    try:
        async with Redis.from_url(valkey.url, socket_timeout=0.2) as client:
            with pytest.raises(RedisTimeoutError):
                await client.ping()
    finally:
        valkey.resume()
    async with Redis.from_url(valkey.url, socket_timeout=1.0) as client:
        assert await client.ping()


async def test_a_server_that_is_not_installed_is_named_with_the_remedy() -> None:
    with pytest.raises(ServerMissing, match="MAYFLY_REDIS_SERVER names 'no-such-server'"):
        server_program("no-such-server")


async def test_objects_and_rows_come_back_after_a_polite_stop(tmp_path: Path, bucket_name: str) -> None:
    state = tmp_path / "state"
    async with AwsEmulator(tmp_path / "one", state_folder=state) as emulator:
        async with SESSION.client("s3", endpoint_url=emulator.url) as s3:
            await s3.create_bucket(Bucket=bucket_name)
            await s3.put_object(Bucket=bucket_name, Key="a", Body=b"kept")
        async with SESSION.client("sqs", endpoint_url=emulator.url) as sqs:
            await sqs.create_queue(QueueName="kept-queue")
    async with AwsEmulator(tmp_path / "two", port=emulator.port, state_folder=state) as emulator:
        async with SESSION.client("s3", endpoint_url=emulator.url) as s3:
            assert await (await s3.get_object(Bucket=bucket_name, Key="a"))["Body"].read() == b"kept"
        async with SESSION.client("sqs", endpoint_url=emulator.url) as sqs:
            assert "kept-queue" in (await sqs.get_queue_url(QueueName="kept-queue"))["QueueUrl"]


# The emulator binds the same address everywhere; only Linux lets everybody read who listens where.
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's table of listeners")
def test_the_emulator_listens_on_loopback_alone(aws_emulator: AwsEmulator) -> None:
    assert httpx.get(f"{aws_emulator.url}/_ministack/health").status_code == 200
    listeners = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert f"0100007F:{aws_emulator.port:04X}" in listeners
    assert f"00000000:{aws_emulator.port:04X}" not in listeners
