"""A Redis that tests may break, a feed that follows it, and the table that holds the truth."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from shared.clients.aws_types import DynamoDBClient
from shared.clients.redis import open_redis
from shared.testing.valkey import Valkey
from shared.tokens.announcements import Announcements
from shared.tokens.revocation_feed import RevocationFeed
from shared.tokens.revocation_keys import TABLE
from tests.service.tokens.backends import dynamodb_at
from tests.support.vouching import vouched_for


@pytest.fixture
async def own_valkey(tmp_path: Path) -> AsyncIterator[Valkey]:
    """A server for this test alone."""
    async with Valkey(tmp_path / "valkey") as server, vouched_for(server.url):
        yield server


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with open_redis(redis_url, timeout_seconds=5) as client:
        yield client


@pytest.fixture
async def own_redis(own_valkey: Valkey) -> AsyncIterator[Redis]:
    async with open_redis(own_valkey.url, timeout_seconds=1) as client:
        yield client


@pytest.fixture
def announcements(redis: Redis) -> Announcements:
    return Announcements(redis)


@pytest.fixture
async def feed(redis_url: str) -> AsyncIterator[RevocationFeed]:
    """Follows the session's Redis; nothing is there yet, so it is not fresh until something fills it."""
    async with vouched_for(redis_url):
        follower = RevocationFeed(redis_url)
        follower.start()
        yield follower
        await follower.stop()


@pytest.fixture
async def dynamodb(aws_endpoint_url: str) -> AsyncIterator[DynamoDBClient]:
    async with dynamodb_at(aws_endpoint_url) as client:
        yield client


@pytest.fixture
async def table(dynamodb: DynamoDBClient, table_prefix: str) -> str:
    name = table_prefix + TABLE
    await dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "target", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "target", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name
