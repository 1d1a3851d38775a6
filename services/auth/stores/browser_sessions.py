"""Logins at auth's own pages, in DynamoDB."""

from services.auth.domain.browser_sessions import BrowserSession
from services.auth.stores.tables import BROWSER_SESSIONS
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item


class BrowserSessions:
    """All of them raise Unavailable when DynamoDB does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + BROWSER_SESSIONS

    async def save(self, session: BrowserSession) -> None:
        """A new one."""
        row = {
            "id_hash": session.id_hash,
            "user_id": session.user_id,
            "username": session.username,
            "issued_at": session.issued_at,
            "expires_at": session.expires_at,
        }
        with aws_errors("DynamoDB"):
            await self._dynamodb.put_item(TableName=self._table, Item=to_item(row))

    async def get(self, id_hash: str) -> BrowserSession | None:
        """As it stands now; one that has expired may still be there."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(
                TableName=self._table, Key={"id_hash": {"S": id_hash}}, ConsistentRead=True
            )
        return BrowserSession(**from_item(answer["Item"])) if "Item" in answer else None

    async def end(self, id_hash: str) -> None:
        """There is none of it any more."""
        with aws_errors("DynamoDB"):
            await self._dynamodb.delete_item(TableName=self._table, Key={"id_hash": {"S": id_hash}})
