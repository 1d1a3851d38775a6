"""Which access tokens a session has given out, as far as they may still live. Read when a session has ended."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.auth.stores.tables import SESSIONS, SESSIONS_WITH_TOKENS
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item

_MOST_IN_BATCH = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html


class SessionTokens:
    """Both raise Unavailable when DynamoDB does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + SESSIONS

    async def of_sessions(self, session_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The ids (`jti`) of each session's tokens, as they stand now; a session that is not known has none."""
        found: dict[str, Sequence[str]] = dict.fromkeys(session_ids, ())
        for begin in range(0, len(session_ids), _MOST_IN_BATCH):
            keys = [{"session_id": {"S": session_id}} for session_id in session_ids[begin : begin + _MOST_IN_BATCH]]
            while keys:
                rows, keys = await self._batch(keys)
                found |= {row["session_id"]: row.get("listed_tokens", ()) for row in rows}
        return found

    async def of_user(self, user_id: str, now: float) -> Iterable[str]:
        """The ids of all tokens of the user's sessions; the newest may be missing for a moment."""
        found: list[str] = []
        with aws_errors("DynamoDB"):
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=SESSIONS_WITH_TOKENS,
                KeyConditionExpression="user_id = :user AND tokens_expire_at > :now",
                ExpressionAttributeValues={":user": {"S": user_id}, ":now": {"N": str(int(now))}},
            )
            async for page in pages:
                for row in map(from_item, page["Items"]):
                    found += row.get("listed_tokens", ())
        return found

    async def _batch(self, keys: Any) -> tuple[list[dict[str, Any]], Any]:  # noqa: ANN401 - boto's own shape
        """The rows that were read, and the keys that are still to be read."""
        wanted: Any = {"Keys": keys, "ConsistentRead": True, "ProjectionExpression": "session_id, listed_tokens"}
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.batch_get_item(RequestItems={self._table: wanted})
        left = answer["UnprocessedKeys"].get(self._table)
        return [from_item(row) for row in answer["Responses"][self._table]], left["Keys"] if left else []
