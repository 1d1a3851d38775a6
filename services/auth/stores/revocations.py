"""Revocations in DynamoDB: the truth that outlives Redis and every instance."""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import DynamoDBClient
from shared.errors import Unavailable
from shared.tokens.revocation import Revocation
from shared.tokens.revocation_keys import TABLE, from_row, to_row

Merge: TypeAlias = Callable[[Revocation, Revocation], Revocation]
_TRIES = 5


class Revocations:
    """All of them raise Unavailable when DynamoDB does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + TABLE

    async def save(self, revocation: Revocation, now: float, merge: Merge) -> Revocation:
        """Make it durable. The answer is what is in force now: where one was known, `merge(known, revocation)`."""
        wanted = revocation
        for _ in range(_TRIES):
            try:
                await self._put_if_it_reaches_further(wanted, now)
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                known = _known(error)
                wanted = revocation if known is None else merge(known, revocation)
                if wanted == known:
                    return known
            else:
                return wanted
        raise Unavailable("Too many revocations of the same at once. Ask again.")

    async def in_force(self, now: float) -> AsyncIterator[Revocation]:
        """Every revocation that has not expired, as it stands now: a consistent scan of the whole table."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            FilterExpression="expires_at > :now",
            ExpressionAttributeValues={":now": {"N": str(int(now))}},
        )
        with aws_errors("DynamoDB"):
            async for page in pages:
                for row in page["Items"]:
                    yield from_row(row)

    async def _put_if_it_reaches_further(self, revocation: Revocation, now: float) -> None:
        row = to_row(revocation, int(now * 1000))
        with aws_errors("DynamoDB"):
            await self._dynamodb.put_item(
                TableName=self._table,
                Item=row,
                ConditionExpression="attribute_not_exists(target) "
                "OR (not_before < :not_before AND expires_at <= :expires_at)",
                ExpressionAttributeValues={":not_before": row["not_before"], ":expires_at": row["expires_at"]},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )


def _known(error: ClientError) -> Revocation | None:
    """The row that stood in the way; None if it has gone since."""
    row: Any = error.response.get("Item")
    return from_row(row) if row else None
