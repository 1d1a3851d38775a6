"""The durable revocations in the order of their time: what was revoked lately can be read without reading all.

A table and no index, because an index may lag behind and can't be read consistently
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html).
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from zlib import crc32

from services.auth.stores.tables import REVOCATION_LOG
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient, TransactWriteItemTypeDef
from shared.errors import Unavailable
from shared.tokens.revocation import Revocation
from shared.tokens.revocation_keys import TABLE, from_row, row_key, to_row

KEPT_SECONDS = 3600
ROWS_IN_PAGE = 500  # of all shards together what comes and is parsed well within the patience
_BUCKET_SECONDS = 600
_SHARDS = 8  # a partition of DynamoDB takes 1,000 writes a second, and one in a transaction counts twice
_AHEAD_SECONDS = 60  # another instance's clock may be


def durable(table_prefix: str, revocation: Revocation, now: float) -> tuple[TransactWriteItemTypeDef, ...]:
    """What a transaction writes that makes a revocation durable; anything less would not be found when it is lost."""
    row = to_row(revocation, int(now * 1000))
    return {"Put": {"TableName": table_prefix + TABLE, "Item": row}}, log_entry(table_prefix, revocation, now)


def log_entry(table_prefix: str, revocation: Revocation, now: float) -> TransactWriteItemTypeDef:
    """What goes with the row of a revocation that has a condition of its own."""
    milliseconds = int(now * 1000)
    shard = crc32(row_key(revocation.target).encode()) % _SHARDS
    row = to_row(revocation, milliseconds)
    keys = {
        "bucket": {"S": _bucket(int(now) // _BUCKET_SECONDS, shard)},
        "entry": {"S": f"{_moment(milliseconds)}#{row_key(revocation.target)}"},
        "ends_at": row["expires_at"],
        "expires_at": {"N": str(int(now) + KEPT_SECONDS)},
    }
    return {"Put": {"TableName": table_prefix + REVOCATION_LOG, "Item": row | keys}}


class RevocationLog:
    """Raises Unavailable when DynamoDB does not answer, or takes longer than `patience_seconds` for a page.

    For a page and not for all: however many were revoked at once, their comparison comes to its end.
    """

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str, *, patience_seconds: float) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + REVOCATION_LOG
        self._patience_seconds = patience_seconds

    async def since(self, moment: float, now: float) -> list[Revocation]:
        """All in force that was written since `moment` by its writer's clock; at most `KEPT_SECONDS` back."""
        buckets = range(int(moment) // _BUCKET_SECONDS, int(now + _AHEAD_SECONDS) // _BUCKET_SECONDS + 1)
        reads = (self._read(_bucket(number, shard), moment, now) for number in buckets for shard in range(_SHARDS))
        parts = await asyncio.gather(*reads, return_exceptions=True)  # none goes on when another has failed
        failure = next((part for part in parts if isinstance(part, BaseException)), None)
        if failure is not None:
            raise failure
        return [revocation for part in parts if isinstance(part, list) for revocation in part]

    async def _read(self, bucket: str, moment: float, now: float) -> list[Revocation]:
        found: list[Revocation] = []
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            PaginationConfig={"PageSize": ROWS_IN_PAGE},
            KeyConditionExpression="#bucket = :bucket AND #entry >= :moment",
            ExpressionAttributeNames={"#bucket": "bucket", "#entry": "entry"},
            ExpressionAttributeValues={
                ":bucket": {"S": bucket},
                ":moment": {"S": _moment(int(moment * 1000))},
            },
        )
        with aws_errors("DynamoDB"):
            iterator = aiter(pages)
            while (page := await self._next(iterator)) is not None:
                found += map(_revocation, page["Items"])
        return [revocation for revocation in found if revocation.expires_at > now]

    async def _next(self, pages: AsyncIterator[Any]) -> Any:  # noqa: ANN401 - as DynamoDB has it
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await anext(pages, None)
        except TimeoutError:
            raise Unavailable("DynamoDB does not say in time what was revoked lately.") from None


def _revocation(row: dict[str, Any]) -> Revocation:
    return from_row(row | {"expires_at": row["ends_at"]})


def _bucket(number: int, shard: int) -> str:
    return f"{number}#{shard}"


def _moment(milliseconds: int) -> str:
    return f"{milliseconds:015d}"
