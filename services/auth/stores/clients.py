"""Clients in DynamoDB."""

from services.auth.domain.clients import Client
from services.auth.stores.client_rows import client_of, row_of
from services.auth.stores.tables import CLIENTS
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient


class Clients:
    """Raises Unavailable when DynamoDB does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + CLIENTS

    async def get(self, client_id: str) -> Client | None:
        """The client as it stands now."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(
                TableName=self._table, Key={"client_id": {"S": client_id}}, ConsistentRead=True
            )
        return client_of(answer["Item"]) if "Item" in answer else None

    async def save(self, client: Client) -> None:
        """Add or replace it."""
        with aws_errors("DynamoDB"):
            await self._dynamodb.put_item(TableName=self._table, Item=row_of(client))
