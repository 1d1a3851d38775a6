"""A Redis that tests may break, and a feed that follows it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from shared.clients.redis import open_redis
from shared.testing.valkey import Valkey
from shared.tokens.announcements import Announcements
from shared.tokens.revocation_feed import RevocationFeed


@pytest.fixture
async def own_valkey(tmp_path: Path) -> AsyncIterator[Valkey]:
    """A server for this test alone."""
    async with Valkey(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with open_redis(redis_url) as client:
        yield client


@pytest.fixture
async def own_redis(own_valkey: Valkey) -> AsyncIterator[Redis]:
    async with open_redis(own_valkey.url) as client:
        yield client


@pytest.fixture
def announcements(redis: Redis) -> Announcements:
    return Announcements(redis)


@pytest.fixture
async def feed(redis_url: str) -> AsyncIterator[RevocationFeed]:
    """Follows the session's Redis; nothing is there yet, so it is not fresh until something fills it."""
    follower = RevocationFeed(redis_url)
    follower.start()
    yield follower
    await follower.stop()
