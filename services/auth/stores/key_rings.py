"""The key ring in DynamoDB: names, times and public keys in one item, which is replaced as a whole or not at all."""

from dataclasses import asdict, replace
from typing import Any

from services.auth.domain.key_ring import KeyRing, RingKey
from services.auth.stores.conflicts import condition_held
from services.auth.stores.revocation_log import durable
from services.auth.stores.tables import KEY_RINGS
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item
from shared.tokens.revocation import Revocation

_RING = "access-tokens"


class KeyRings:
    """All of them raise Unavailable when DynamoDB does not answer.

    Of any number of changes to the same version one is stored: who was too late is told, and reads anew.
    """

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + KEY_RINGS
        self._prefix = table_prefix

    async def load(self) -> KeyRing | None:
        """The ring as it stands now; None: nobody has made one."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(
                TableName=self._table, Key={"ring": {"S": _RING}}, ConsistentRead=True
            )
        return _ring_of(answer["Item"]) if "Item" in answer else None

    async def begin(self, ring: KeyRing) -> bool:
        """Store the first ring. False: there is one already, and it stays."""
        return await condition_held(
            lambda: self._dynamodb.put_item(
                TableName=self._table, Item=_item_of(ring), ConditionExpression="attribute_not_exists(ring)"
            )
        )

    async def replace(self, changed: KeyRing, *, revocation: Revocation | None = None, now: float) -> KeyRing | None:
        """Store a change of the ring of this version, and with it a revocation: both or neither.

        The answer is the ring with its new version. None: somebody else has changed it; nothing was stored.
        """
        stored = replace(changed, version=changed.version + 1)
        put: Any = {
            "TableName": self._table,
            "Item": _item_of(stored),
            "ConditionExpression": "#version = :seen",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":seen": {"N": str(changed.version)}},
        }
        if revocation is None:
            done = await condition_held(lambda: self._dynamodb.put_item(**put))
        else:
            items: Any = [{"Put": put}, *durable(self._prefix, revocation, now)]
            done = await condition_held(lambda: self._dynamodb.transact_write_items(TransactItems=items))
        return stored if done else None


def _item_of(ring: KeyRing) -> dict[str, Any]:
    keys = [{name: value for name, value in asdict(key).items() if value is not None} for key in ring.keys]
    return to_item({"ring": _RING, "version": ring.version, "keys": keys})


def _ring_of(item: dict[str, Any]) -> KeyRing:
    row = from_item(item)
    return KeyRing(row["version"], tuple(RingKey(**members) for members in row["keys"]))
