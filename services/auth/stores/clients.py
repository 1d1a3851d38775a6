"""Clients in DynamoDB."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from services.auth.domain.clients import Client
from services.auth.stores.client_rows import client_of, row_of
from services.auth.stores.tables import CLIENTS
from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import DynamoDBClient

_TELL: Any = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


class Clients:
    """All of them raise Unavailable when DynamoDB does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + CLIENTS

    async def get(self, client_id: str) -> Client | None:
        """The client as it stands now."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(TableName=self._table, Key=_key(client_id), ConsistentRead=True)
        return client_of(answer["Item"]) if "Item" in answer else None

    async def page(self, *, most: int, after: str | None) -> tuple[Sequence[Client], str | None]:
        """So many at most, in an order of DynamoDB's own, behind this client's id; and the id to go on behind."""
        start: dict[str, Any] = {"ExclusiveStartKey": _key(after)} if after else {}
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.scan(TableName=self._table, Limit=most, ConsistentRead=True, **start)
        last = answer.get("LastEvaluatedKey")
        return [client_of(item) for item in answer["Items"]], last["client_id"]["S"] if last else None

    async def save(self, client: Client) -> Client | None:
        """Add it, or replace it by this, if it is still of the version that `client` was made from.

        The answer is what is stored now; None: it was changed or deleted meanwhile, or (version 0) there is one.
        Where a first try was stored and its answer lost, the second finds its own row, and that is right.
        """
        stored = replace(client, version=client.version + 1)
        row = row_of(stored)
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(client_id)"}
        if client.version:
            values = {":version": {"N": str(client.version)}}
            condition = {"ConditionExpression": "version = :version", "ExpressionAttributeValues": values}
        try:
            with aws_errors("DynamoDB"):
                await self._dynamodb.put_item(TableName=self._table, Item=row, **condition, **_TELL)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            answer: Any = error.response  # with the row that the condition did not hold for
            return stored if answer.get("Item") == row else None
        return stored

    async def delete(self, client_id: str) -> None:
        """One that is not there stays so."""
        with aws_errors("DynamoDB"):
            await self._dynamodb.delete_item(TableName=self._table, Key=_key(client_id))


def _key(client_id: str) -> dict[str, Any]:
    return {"client_id": {"S": client_id}}
