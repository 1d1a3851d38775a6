"""What several tests here do to real servers."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

from shared.clients.aws import open_dynamodb
from shared.clients.aws_types import DynamoDBClient
from shared.settings import SharedSettings, load
from shared.testing.server import Server
from shared.tokens.direct_reads import DirectReads


def dynamodb_at(endpoint_url: str) -> AbstractAsyncContextManager[DynamoDBClient]:
    """A client of the DynamoDB at this address."""
    settings = load(
        SharedSettings, aws_endpoint_url=endpoint_url, aws_access_key_id="test", aws_secret_access_key="test"
    )
    return open_dynamodb(settings)


@asynccontextmanager
async def reading(dynamodb: DynamoDBClient, table: str, timeout_seconds: float) -> AsyncIterator[DirectReads]:
    """A reader that is stopped before its client is closed."""
    direct = DirectReads(dynamodb, table, timeout_seconds=timeout_seconds)
    try:
        yield direct
    finally:
        await direct.stop()


@contextmanager
def hung(*servers: Server) -> Iterator[None]:
    """Within: they answer nothing. They go on afterwards, whatever the test found."""
    for server in servers:
        server.pause()
    try:
        yield
    finally:
        for server in servers:
            server.resume()
