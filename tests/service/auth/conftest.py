"""An auth with its own tables, and everything that its bootstrap makes."""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

import pytest

from services.auth.bootstrap import lay_ground
from services.auth.settings import AuthSettings, BootstrapSettings
from shared.settings import load
from shared.tokens.pem_keys import generate_pem
from tests.service.auth.running import Auth, running

MakeSettings: TypeAlias = Callable[..., AuthSettings]


@pytest.fixture(scope="session")
def signing_key() -> str:
    """For ES256: an RSA key takes a tenth of a second to make or load, for each test."""
    return generate_pem("ES256")


@pytest.fixture
def shared_settings(redis_url: str, aws_endpoint_url: str, table_prefix: str) -> dict[str, Any]:
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
def bootstrap_settings(shared_settings: dict[str, Any]) -> BootstrapSettings:
    return load(BootstrapSettings, **shared_settings)


@pytest.fixture
async def make_settings(
    shared_settings: dict[str, Any], bootstrap_settings: BootstrapSettings, signing_key: str
) -> MakeSettings:
    """Settings of an auth whose ground is laid; arguments go over them."""
    await lay_ground(bootstrap_settings)

    def make(**overrides: object) -> AuthSettings:
        return load(AuthSettings, **{**shared_settings, "signing_key": signing_key, **overrides})

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
