"""Revocations in DynamoDB: the truth that outlives Redis and every instance."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from services.auth.stores.conflicts import past_conflicts
from services.auth.stores.revocation_log import log_entry
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient, TransactWriteItemTypeDef
from shared.errors import Unavailable
from shared.tokens.revocation import Revocation
from shared.tokens.revocation_keys import TABLE, from_row, to_row

_TRIES = 20
_ROWS_IN_PAGE = 2000  # each page comes well within a read's timeout
_REACHES_LESS_FAR = "not_before < :not_before AND expires_at <= :expires_at"
_IS_STILL_THE_SAME = "not_before = :not_before AND expires_at = :expires_at"


class Revocations:
    """All of them raise Unavailable when DynamoDB does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._prefix = table_prefix
        self._table = table_prefix + TABLE

    async def save(self, revocation: Revocation, now: float) -> Revocation:
        """Make it durable. The answer is what is in force now: where one was known, both together."""
        wanted, known = revocation, await self._put(revocation, None, now)
        for _ in range(_TRIES):
            if known is None:
                return wanted
            wanted = revocation.together_with(known)
            if wanted == known:
                return known
            known = await self._put(wanted, known, now)
        raise Unavailable("Too many revocations of the same at once. Ask again.")

    async def in_force(self, now: float) -> AsyncIterator[Revocation]:
        """Every revocation that has not expired, as it stands now: a consistent scan of the whole table."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            PaginationConfig={"PageSize": _ROWS_IN_PAGE},
            FilterExpression="expires_at > :now",
            ExpressionAttributeValues={":now": {"N": str(int(now))}},
        )
        with aws_errors("DynamoDB"):
            async for page in pages:
                for row in page["Items"]:
                    yield from_row(row)

    async def _put(self, wanted: Revocation, known: Revocation | None, now: float) -> Revocation | None:
        """Write it in the place of `known`, or of one that reaches less far. None: done; else what stands there."""
        row = to_row(wanted, int(now * 1000))
        compared = row if known is None else to_row(known, 0)
        condition = _REACHES_LESS_FAR if known is None else _IS_STILL_THE_SAME
        items: Sequence[TransactWriteItemTypeDef] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": row,
                    "ConditionExpression": f"attribute_not_exists(target) OR ({condition})",
                    "ExpressionAttributeValues": {
                        ":not_before": compared["not_before"],
                        ":expires_at": compared["expires_at"],
                    },
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
            log_entry(self._prefix, wanted, now),
        ]
        try:
            with aws_errors("DynamoDB"):
                await past_conflicts(lambda: self._dynamodb.transact_write_items(TransactItems=items))
        except ClientError as error:
            reasons: Any = error.response.get("CancellationReasons", [{}])
            if reasons[0].get("Code") != "ConditionalCheckFailed":
                raise
            return from_row(reasons[0]["Item"])  # the row that the condition did not hold for
        return None
