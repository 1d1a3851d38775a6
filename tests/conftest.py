"""Real backends for every test: one Redis server and one AWS emulator for the whole session, as child processes.

- `redis_url`: an empty database, for each test that asks for it.
- `aws_endpoint_url`: DynamoDB, S3 and SQS in memory. It is shared, so a test names its own tables, buckets and queues:
  `table_prefix` and `bucket_name` are new for each test.
- `valkey`, `aws_emulator`: the servers themselves, for a test that stops, hangs or kills them. Such a test leaves them
  running and resumed; one that wants to break things for longer starts a server of its own.

Nothing is started for tests that ask for none of these.
"""

from collections.abc import AsyncIterator

import pytest
import structlog
from hypothesis import HealthCheck, settings
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.testing.aws_emulator import AwsEmulator
from shared.testing.valkey import WHEEL, Valkey
from tests.support.names import unique_name

# A busy or a new machine is slow now and then; that is no fault of what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("patient"), max_examples=20_000)
settings.load_profile("patient")

# Where rich is installed, structlog writes tracebacks with the values of all variables, which takes seconds.
_PLAIN = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _PLAIN])


class BackendSettings(BaseSettings):
    """MAYFLY_REDIS_SERVER: "wheel" (default), or the name or path of a Redis or Valkey server on this machine."""

    model_config = SettingsConfigDict(env_prefix="MAYFLY_")

    redis_server: str = WHEEL


@pytest.fixture(scope="session")
async def valkey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Valkey]:
    """The session's Redis server. Ask for `redis_url` where the server itself does not matter."""
    async with Valkey(tmp_path_factory.mktemp("valkey"), server=BackendSettings().redis_server) as server:
        yield server


@pytest.fixture(scope="session")
async def aws_emulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AwsEmulator]:
    """The session's AWS emulator, in memory."""
    async with AwsEmulator(tmp_path_factory.mktemp("aws")) as emulator:
        yield emulator


@pytest.fixture
async def redis_url(valkey: Valkey) -> str:
    """The address of an empty Redis database."""
    await valkey.flush()
    return valkey.url


@pytest.fixture
def aws_endpoint_url(aws_emulator: AwsEmulator) -> str:
    """The address of DynamoDB, S3 and SQS; any credentials are good."""
    return aws_emulator.url


@pytest.fixture
def table_prefix() -> str:
    """A prefix for tables and queues that no other test has."""
    return f"{unique_name('t')}-"


@pytest.fixture
def bucket_name() -> str:
    """A bucket's name that no other test has; the bucket does not exist yet."""
    return unique_name("bucket")
