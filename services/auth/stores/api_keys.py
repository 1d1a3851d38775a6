"""API keys in DynamoDB. A key that was ended stays, until it would have expired: ending it again is no error."""

from collections.abc import Sequence
from typing import Any

from services.auth.domain.api_keys import ApiKey
from services.auth.stores.conflicts import condition_held
from services.auth.stores.revocation_log import durable
from services.auth.stores.tables import ALIVE_BY_USER, API_KEYS
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient, TransactWriteItemTypeDef
from shared.clients.items import from_item, to_item
from shared.tokens.revocation import Revocation

_ALIVE = "attribute_exists(alive_for)"


class ApiKeys:
    """All of them raise Unavailable when DynamoDB does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + API_KEYS
        self._prefix = table_prefix

    async def save(self, key: ApiKey) -> None:
        """A new one."""
        with aws_errors("DynamoDB"):
            await self._dynamodb.put_item(TableName=self._table, Item=_row_of(key))

    async def forget(self, key: ApiKey) -> None:
        """One that nobody was shown."""
        with aws_errors("DynamoDB"):
            await self._dynamodb.delete_item(TableName=self._table, Key=_key(key.key_id))

    async def get(self, key_id: str) -> ApiKey | None:
        """The key as it stands now, an ended one too."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(TableName=self._table, Key=_key(key_id), ConsistentRead=True)
        return _key_of(answer["Item"]) if "Item" in answer else None

    async def of_user(self, user_id: str, now: float) -> Sequence[ApiKey]:
        """The user's keys that are good, the newest first; a new one may be missing for a moment."""
        found: list[ApiKey] = []
        with aws_errors("DynamoDB"):
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=ALIVE_BY_USER,
                KeyConditionExpression="alive_for = :user",
                FilterExpression="expires_at > :now",
                ExpressionAttributeValues={":user": {"S": user_id}, ":now": {"N": str(int(now))}},
                ScanIndexForward=False,
            )
            async for page in pages:
                found += map(_key_of, page["Items"])
        return found

    async def use(self, key: ApiKey, now: float) -> None:
        """Write down that it was used; one that was ended meanwhile stays as it is."""
        await condition_held(
            lambda: self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(key.key_id),
                UpdateExpression="SET last_used_at = :now",
                ConditionExpression=_ALIVE,
                ExpressionAttributeValues={":now": {"N": str(int(now))}},
            )
        )

    async def end(self, key: ApiKey, revocation: Revocation, now: float) -> None:
        """End it and make the revocation of its tokens durable: both or neither. One that has ended stays as it is."""
        update: Any = {
            "TableName": self._table,
            "Key": _key(key.key_id),
            "UpdateExpression": "SET ended_at_ms = :ended REMOVE alive_for",
            "ConditionExpression": _ALIVE,
            "ExpressionAttributeValues": {":ended": {"N": str(int(now * 1000))}},
        }
        items: Sequence[TransactWriteItemTypeDef] = [{"Update": update}, *durable(self._prefix, revocation, now)]
        await condition_held(lambda: self._dynamodb.transact_write_items(TransactItems=items))


def _key(key_id: str) -> dict[str, Any]:
    return {"key_id": {"S": key_id}}


def _row_of(key: ApiKey) -> dict[str, Any]:
    return to_item(
        {
            "key_id": key.key_id,
            "user_id": key.user_id,
            "alive_for": key.user_id,
            "username": key.username,
            "name": key.name,
            "hash": key.hash,
            "scope": sorted(key.scope),
            "created_at_ms": key.created_at_ms,
            "expires_at": key.expires_at,
        }
    )


def _key_of(item: dict[str, Any]) -> ApiKey:
    row = from_item(item)
    return ApiKey(
        key_id=row["key_id"],
        user_id=row["user_id"],
        username=row["username"],
        name=row["name"],
        hash=row["hash"],
        scope=frozenset(row["scope"]),
        created_at_ms=row["created_at_ms"],
        expires_at=row["expires_at"],
        last_used_at=row.get("last_used_at"),
        ended_at_ms=row.get("ended_at_ms"),
    )
