"""Sessions in DynamoDB. Every change is conditional on the row itself, so that of two racing requests one wins."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from services.auth.domain.refresh import RefreshState
from services.auth.domain.sessions import Session
from services.auth.stores.conflicts import condition_held, past_conflicts
from services.auth.stores.revocation_log import durable
from services.auth.stores.session_rows import row_of, session_of
from services.auth.stores.tables import ALIVE_BY_USER, SESSIONS
from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import DynamoDBClient, TransactWriteItemTypeDef
from shared.tokens.revocation import Revocation

MOST_LISTED = 100
_ALIVE = "attribute_exists(alive_for)"


class Sessions:
    """All of them raise Unavailable when DynamoDB does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + SESSIONS
        self._prefix = table_prefix

    async def save(self, session: Session) -> None:
        """A new one."""
        with aws_errors("DynamoDB"):
            await self._dynamodb.put_item(TableName=self._table, Item=row_of(session))

    async def get(self, session_id: str) -> Session | None:
        """The session as it stands now, ended ones too."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(
                TableName=self._table, Key={"session_id": {"S": session_id}}, ConsistentRead=True
            )
        return session_of(answer["Item"]) if "Item" in answer else None

    async def rotate(
        self, session: Session, successor: RefreshState, *, token_id: str | None, tokens_expire_at: int, now: float
    ) -> Session | None:
        """Exchange the refresh token, if the session still has the one that `session` was read with.

        `token_id` is the access token that goes with it, if that stands in a status list.

        None: done. Otherwise nothing was changed, and the answer is the session as it stands now: another request was
        faster, or it has ended.
        """
        values = {
            ":presented": {"S": session.refresh.current_hash},
            ":current": {"S": successor.current_hash},
            ":salt": {"S": successor.salt or ""},
            ":rotated": {"N": str(successor.rotated_at_ms)},
            ":tokens": {"N": str(max(tokens_expire_at, session.tokens_expire_at))},
            ":now": {"N": str(int(now))},
        }
        listing, names = _listing(session, token_id, now)
        try:
            with aws_errors("DynamoDB"):
                await past_conflicts(
                    lambda: self._dynamodb.update_item(
                        TableName=self._table,
                        Key={"session_id": {"S": session.session_id}},
                        UpdateExpression="SET current_hash = :current, previous_hash = :presented, salt = :salt, "
                        f"rotated_at_ms = :rotated, last_used_at_ms = :rotated, tokens_expire_at = :tokens{listing}",
                        **names,
                        ConditionExpression=f"current_hash = :presented AND {_ALIVE} AND expires_at > :now",
                        ExpressionAttributeValues=values,
                        ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    )
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return _as_it_stands(error, session, now)
        return None

    async def list_token(self, session: Session, token_id: str) -> bool:
        """One more access token of the session's, which goes when the session goes. False: that has ended already."""
        return await condition_held(
            lambda: self._dynamodb.update_item(
                TableName=self._table,
                Key={"session_id": {"S": session.session_id}},
                UpdateExpression="SET listed_tokens.#token = :expiry",
                ConditionExpression=_ALIVE,
                ExpressionAttributeNames={"#token": token_id},
                ExpressionAttributeValues={":expiry": {"N": str(session.tokens_expire_at)}},
            )
        )

    async def end(self, session: Session, revocation: Revocation, now: float) -> None:
        """End it and make its revocation durable: both or neither. One that has ended stays as it is."""
        items: Sequence[TransactWriteItemTypeDef] = [
            {"Update": _ending(self._table, session, now)},
            *durable(self._prefix, revocation, now),
        ]
        await condition_held(lambda: self._dynamodb.transact_write_items(TransactItems=items))

    async def end_revoked(self, session: Session, now: float) -> None:
        """End one that a durable revocation of its user ends anyway."""
        await condition_held(lambda: self._dynamodb.update_item(**_ending(self._table, session, now)))

    async def of_user(self, user_id: str, now: float, *, most: int | None = None) -> Sequence[Session]:
        """The user's sessions that have not ended, the newest first; a new one may be missing for a moment."""
        found: list[Session] = []
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
                found += map(session_of, page["Items"])
                if most is not None and len(found) >= most:
                    break
        return found[:most]


def _listing(session: Session, token_id: str | None, now: float) -> tuple[str, dict[str, Any]]:
    """What an update adds to name this token and to forget expired ones. Others may do the same at the same time."""
    expired = [known for known, expires_at in session.listed_tokens.items() if expires_at <= now]
    names = {f"#expired{number}": known for number, known in enumerate(expired)}
    text = f" REMOVE {', '.join(f'listed_tokens.{name}' for name in names)}" if names else ""
    if token_id is not None:
        names["#token"] = token_id
        text = ", listed_tokens.#token = :tokens" + text
    return text, {"ExpressionAttributeNames": names} if names else {}


def _as_it_stands(error: ClientError, session: Session, now: float) -> Session:
    """The row that the condition did not hold for; a session whose row has gone has ended."""
    row: Any = error.response.get("Item")
    return session_of(row) if row else replace(session, ended_at_ms=int(now * 1000))


def _ending(table: str, session: Session, now: float) -> Any:  # noqa: ANN401 - an update, alone or in a transaction
    return {
        "TableName": table,
        "Key": {"session_id": {"S": session.session_id}},
        "UpdateExpression": "SET ended_at_ms = :ended REMOVE alive_for",
        "ConditionExpression": _ALIVE,
        "ExpressionAttributeValues": {":ended": {"N": str(int(now * 1000))}},
    }
