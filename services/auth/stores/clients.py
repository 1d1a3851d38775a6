"""Clients in DynamoDB."""

from services.auth.domain.clients import Client
from services.auth.stores.tables import CLIENTS
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item


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
        if "Item" not in answer:
            return None
        row = from_item(answer["Item"])
        return Client(row["client_id"], row["secret_hash"], frozenset(row["scope"]), row["name"])

    async def save(self, client: Client) -> None:
        """Add or replace it."""
        item = to_item(
            {
                "client_id": client.client_id,
                "secret_hash": client.secret_hash,
                "scope": sorted(client.scope),
                "name": client.name,
            }
        )
        with aws_errors("DynamoDB"):
            await self._dynamodb.put_item(TableName=self._table, Item=item)
