"""The durable revocations in the order of their time: what was revoked lately can be read without reading all.

A table and no index, because an index may lag behind and can't be read consistently
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

from services.auth.stores.tables import REVOCATION_LOG
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient, TransactWriteItemTypeDef
from shared.errors import Unavailable
from shared.tokens.revocation import Revocation
from shared.tokens.revocation_keys import TABLE, from_row, row_key, to_row

KEPT_SECONDS = 3600
ROWS_IN_PAGE = 200  # of all shards together what comes and is parsed well within the patience
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


@dataclass(frozen=True, slots=True)
class LogReading:
    """A reading of all that was written since a moment (Unix seconds, by its writer's clock), and how far it has come.

    `reached`: the last entry that was read of each bucket. What is written behind it meanwhile is found by the next
    reading, which must begin before `began_at`.
    """

    since: float
    began_at: float
    reached: Mapping[str, str] = field(default_factory=dict)


class RevocationLog:
    """DynamoDB has `patience_seconds` for a page: for a page and not for all, however many were revoked at once."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str, *, patience_seconds: float) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + REVOCATION_LOG
        self._patience_seconds = patience_seconds

    async def read(self, reading: LogReading, now: float) -> tuple[list[Revocation], LogReading | None]:
        """Those in force that come next, at most `KEPT_SECONDS` back, and what is left to read; None: that was all.

        Raises:
            Unavailable: DynamoDB does not answer, or not in time, and nothing at all was read.
        """
        buckets = range(int(reading.since) // _BUCKET_SECONDS, int(now + _AHEAD_SECONDS) // _BUCKET_SECONDS + 1)
        found: list[Revocation] = []
        reached = dict(reading.reached)
        reads = (
            self._read(_bucket(number, shard), reading.since, found, reached)
            for number in buckets
            for shard in range(_SHARDS)
        )
        ends = await asyncio.gather(*reads, return_exceptions=True)  # what one has read stays when another fails
        failures = [end for end in ends if isinstance(end, BaseException)]
        for failure in failures:
            if not isinstance(failure, Unavailable) or reached == reading.reached:
                raise failure
        in_force = [revocation for revocation in found if revocation.expires_at > now]
        return in_force, replace(reading, reached=reached) if failures else None

    async def _read(self, bucket: str, since: float, found: list[Revocation], reached: dict[str, str]) -> None:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            PaginationConfig={"PageSize": ROWS_IN_PAGE},
            KeyConditionExpression="#bucket = :bucket AND #entry >= :first",
            ExpressionAttributeNames={"#bucket": "bucket", "#entry": "entry"},
            ExpressionAttributeValues={
                ":bucket": {"S": bucket},
                ":first": {"S": reached.get(bucket, _moment(int(since * 1000)))},
            },
        )
        with aws_errors("DynamoDB"):
            iterator = aiter(pages)
            while (page := await self._next(iterator)) is not None:
                found += map(_revocation, page["Items"])
                if page["Items"]:
                    reached[bucket] = page["Items"][-1]["entry"]["S"]

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
