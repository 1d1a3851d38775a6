"""A processor with stores of its own, without a worker until a test starts one."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from services.processor.bootstrap import bootstrap
from services.processor.settings import ProcessorSettings
from shared.clients.aws import open_dynamodb
from shared.clients.redis import open_redis
from shared.settings import load
from shared.testing.aws_emulator import AwsEmulator
from shared.testing.tokens import TokenFactory
from shared.testing.valkey import Valkey
from shared.tokens.announcements import Announcements
from shared.tokens.pem_keys import generate_pem
from shared.tokens.revocation_keys import TABLE as REVOCATIONS_TABLE
from tests.service.processor.running import Processor, processor, worker
from tests.service.tokens.canned_server import CannedServer
from tests.support.names import unique_name
from tests.support.vouching import vouched_for

CONTEXT_KEY = generate_pem("ES256")
MakeSettings: TypeAlias = Callable[..., ProcessorSettings]


@pytest.fixture(scope="session")
def tokens() -> TokenFactory:
    return TokenFactory()


@pytest.fixture(scope="session")
async def jwks_url(tokens: TokenFactory) -> AsyncIterator[str]:
    async with CannedServer(json.dumps(tokens.jwks()).encode()) as server:
        yield server.url


def _maker(backends: dict[str, str], work_dir: Path) -> MakeSettings:
    """Settings on stores with names of their own."""
    stores = {
        "table_prefix": f"{unique_name('t')}-",
        "bucket": unique_name("bucket"),
        "queue_name": unique_name("jobs"),
        "dead_letter_queue_name": unique_name("dead"),
    }

    def make(**overrides: object) -> ProcessorSettings:
        settings: dict[str, object] = {
            **backends,
            **stores,
            "mode": "local",
            "context_key": CONTEXT_KEY,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "lease_seconds": 2,
            "long_poll_seconds": 1,
            "sweep_interval_seconds": 0.5,
            "sweep_after_seconds": 60,
            "shutdown_deadline_seconds": 5,
            "slots": 2,
            "work_dir": str(work_dir),
            "revocation_read_timeout_seconds": 2,
            **overrides,
        }
        return load(ProcessorSettings, **settings)

    return make


@pytest.fixture
async def make_settings(
    redis_url: str, aws_endpoint_url: str, jwks_url: str, tmp_path: Path
) -> AsyncIterator[MakeSettings]:
    """Settings on stores that are made and hold nothing; arguments go over them."""
    backends = {"redis_url": redis_url, "aws_endpoint_url": aws_endpoint_url, "jwks_url": jwks_url}
    make = _maker(backends, tmp_path)
    await bootstrap(make())
    await _no_revocations(make())
    async with vouched_for(redis_url):
        yield make


async def _no_revocations(settings: ProcessorSettings) -> None:
    """What auth's bootstrap makes and auth fills; here it stays empty."""
    async with open_dynamodb(settings) as dynamodb:
        await dynamodb.create_table(
            TableName=settings.table_prefix + REVOCATIONS_TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "target", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "target", "AttributeType": "S"}],
        )
    async with open_redis(settings.redis_url) as redis:
        await Announcements(redis).rebuild([])


@pytest.fixture
async def idle_processor(make_settings: MakeSettings, tokens: TokenFactory) -> AsyncIterator[Processor]:
    """Takes jobs that nobody works on."""
    async with processor(make_settings(), tokens, unique_name("usr")) as running:
        yield running


@pytest.fixture
async def working_processor(idle_processor: Processor) -> AsyncIterator[Processor]:
    """Takes jobs, and a worker does them."""
    async with worker(idle_processor.settings):
        yield idle_processor


@pytest.fixture(scope="module")
async def common_processor(
    valkey: Valkey,
    aws_emulator: AwsEmulator,
    jwks_url: str,
    tokens: TokenFactory,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Processor]:
    """One with a worker for all tests of a module that leave nothing behind by which another could be disturbed."""
    backends = {"redis_url": valkey.url, "aws_endpoint_url": aws_emulator.url, "jwks_url": jwks_url}
    settings = _maker(backends, tmp_path_factory.mktemp("work"))()
    await bootstrap(settings)
    await _no_revocations(settings)
    async with (
        vouched_for(valkey.url),
        processor(settings, tokens, unique_name("usr")) as running,
        worker(settings),
    ):
        yield running
