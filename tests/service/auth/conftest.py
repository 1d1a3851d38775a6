"""An auth, and in its tables what its bootstrap makes."""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

import pytest

from services.auth.bootstrap import lay_ground
from services.auth.settings import AuthSettings, BootstrapSettings
from shared.settings import load
from shared.testing.aws_emulator import AwsEmulator
from shared.testing.valkey import Valkey
from shared.tokens.pem_keys import generate_pem
from tests.service.auth.ground import Ground, laid_ground
from tests.service.auth.running import Auth, running

MakeSettings: TypeAlias = Callable[..., AuthSettings]


@pytest.fixture(scope="session")
def signing_key() -> str:
    """For ES256: an RSA key takes a tenth of a second to make or load, for each test."""
    return generate_pem("ES256")


def settings_on(redis_url: str, aws_endpoint_url: str, table_prefix: str) -> dict[str, Any]:
    """Where the backends are; and passwords and keys that are quick."""
    return {
        "mode": "local",
        "redis_url": redis_url,
        "aws_endpoint_url": aws_endpoint_url,
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
        "table_prefix": table_prefix,
        "issuer": "http://auth.test",
        "signing_algorithm": "ES256",
        "password_memory_kib": 8192,
        "password_iterations": 1,
        # A busy machine is no outage; tests of outages set it shorter.
        "revocation_read_timeout_seconds": 2,
    }


@pytest.fixture
def shared_settings(redis_url: str, aws_endpoint_url: str, table_prefix: str) -> dict[str, Any]:
    """Of an auth or a bootstrap whose tables nobody has made yet."""
    return settings_on(redis_url, aws_endpoint_url, table_prefix)


@pytest.fixture(scope="session")
async def lasting_ground(valkey: Valkey, aws_emulator: AwsEmulator) -> AsyncIterator[Ground]:
    async with laid_ground(load(BootstrapSettings, **settings_on(valkey.url, aws_emulator.url, "ground-"))) as ground:
        yield ground


@pytest.fixture
async def ground(lasting_ground: Ground) -> str:
    """The prefix of tables that hold what bootstrap makes. Those of the session: to make them takes half a second."""
    await lasting_ground.restore()
    return lasting_ground.table_prefix


@pytest.fixture
async def new_ground(shared_settings: dict[str, Any]) -> str:
    """For tests of what ages from the bootstrap on, such as the key ring; a module names it `ground`."""
    await lay_ground(load(BootstrapSettings, **shared_settings))
    return str(shared_settings["table_prefix"])


@pytest.fixture
def make_settings(shared_settings: dict[str, Any], ground: str, signing_key: str) -> MakeSettings:
    """Settings of an auth whose ground is laid; arguments go over them."""

    def make(**overrides: object) -> AuthSettings:
        ours = {"table_prefix": ground, "signing_key": signing_key}
        return load(AuthSettings, **{**shared_settings, **ours, **overrides})

    return make


@pytest.fixture
async def auth(make_settings: MakeSettings) -> AsyncIterator[Auth]:
    async with running(make_settings()) as auth:
        yield auth


@pytest.fixture
async def other_auth(make_settings: MakeSettings, auth: Auth) -> AsyncIterator[Auth]:
    """A second instance on the same stores."""
    async with running(make_settings()) as other:
        await other.until_it_hears()
        yield other
