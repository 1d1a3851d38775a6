"""Users in DynamoDB. A second table leads from ids to names, and knows who administers: so the last one can't go."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from services.auth.domain.problems import LastAdmin
from services.auth.domain.users import User
from services.auth.stores.conflicts import condition_held, past_conflicts
from services.auth.stores.tables import USER_INDEX, USERS
from services.auth.stores.user_rows import row_of, user_of
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient, TransactWriteItemTypeDef

_ADMINS = "admins"
_NOT_MET = "ConditionalCheckFailed"


class Users:
    """All of them raise Unavailable when DynamoDB does not answer. What changes a user is one transaction."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + USERS
        self._index = table_prefix + USER_INDEX

    async def get(self, username: str) -> User | None:
        """The user of this folded name, as it stands now."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(
                TableName=self._table, Key={"username": {"S": username}}, ConsistentRead=True
            )
        return user_of(answer["Item"]) if "Item" in answer else None

    async def by_id(self, user_id: str) -> User | None:
        """The user of this id, as it stands now: two reads."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(
                TableName=self._index, Key={"key": {"S": _pointer(user_id)}}, ConsistentRead=True
            )
        user = await self.get(answer["Item"]["username"]["S"]) if "Item" in answer else None
        return user if user is not None and user.user_id == user_id else None

    async def have_admin(self) -> bool:
        """Whether there is an active administrator."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(
                TableName=self._index, Key={"key": {"S": _ADMINS}}, ConsistentRead=True
            )
        return "ids" in answer.get("Item", {})

    async def page(self, *, most: int, after: str | None) -> tuple[Sequence[User], str | None]:
        """Up to `most` users behind the one of this name, in no order that means anything; the name to go on behind."""
        start: Any = {} if after is None else {"ExclusiveStartKey": {"username": {"S": after}}}
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.scan(TableName=self._table, Limit=most, ConsistentRead=True, **start)
        last = answer.get("LastEvaluatedKey")
        return [user_of(item) for item in answer["Items"]], last["username"]["S"] if last else None

    async def add(self, user: User) -> bool:
        """False: there is one of this name already, and it stays as it is."""
        put = {"TableName": self._table, "Item": row_of(user), "ConditionExpression": "attribute_not_exists(username)"}
        pointer = {"key": {"S": _pointer(user.user_id)}, "username": {"S": user.username}}
        items: list[Any] = [{"Put": put}, {"Put": {"TableName": self._index, "Item": pointer}}]
        return await self._transact([*items, *self._admins(None, user)])

    async def change(self, known: User, wanted: User) -> User | None:
        """The user as it is now, its version counted up; None: it was changed since `known` was read, and stays so.

        Raises:
            LastAdmin: nobody would be left who administers.
        """
        changed = replace(wanted, version=known.version + 1)
        update: Any = {"TableName": self._table, "Key": {"username": {"S": known.username}}, **_update(known, changed)}
        return changed if await self._transact([{"Update": update}, *self._admins(known, changed)]) else None

    async def delete(self, known: User) -> bool:
        """False: it was changed since `known` was read, and is still there. Raises LastAdmin."""
        delete = {"TableName": self._table, "Key": {"username": {"S": known.username}}, **_still(known)}
        pointer = {"TableName": self._index, "Key": {"key": {"S": _pointer(known.user_id)}}}
        items: list[Any] = [{"Delete": delete}, {"Delete": pointer}]
        return await self._transact([*items, *self._admins(known, None)])

    async def replace_hash(self, user: User, password_hash: str) -> None:
        """Store a better hash of the same password, unless the password was changed meanwhile."""
        await self._while_password_is(user, "password_hash", {"S": password_hash})

    async def end_sessions(self, user: User, now: float) -> None:
        """End all sessions up to now, save the kept one, unless the password was changed again meanwhile."""
        await self._while_password_is(user, "password_changed_at", {"N": str(int(now))})

    async def _while_password_is(self, user: User, name: str, value: Any) -> None:  # noqa: ANN401 - as DynamoDB has it
        await condition_held(
            lambda: self._dynamodb.update_item(
                TableName=self._table,
                Key={"username": {"S": user.username}},
                UpdateExpression=f"SET {name} = :new",
                ConditionExpression="password_hash = :known",
                ExpressionAttributeValues={":new": value, ":known": {"S": user.password_hash}},
            )
        )

    def _admins(self, before: User | None, after: User | None) -> list[Any]:
        """What the set of active administrators must go through in the same transaction; mostly nothing."""
        was, will_be = before is not None and before.is_active_admin, after is not None and after.is_active_admin
        if was == will_be:
            return []
        user = after or before
        assert user is not None  # noqa: S101 - one of the two is an administrator
        update: dict[str, Any] = {
            "TableName": self._index,
            "Key": {"key": {"S": _ADMINS}},
            "UpdateExpression": "ADD ids :id" if will_be else "DELETE ids :id",
            "ExpressionAttributeValues": {":id": {"SS": [user.user_id]}},
        }
        if was:
            update["ConditionExpression"] = "size(ids) > :one"
            update["ExpressionAttributeValues"][":one"] = {"N": "1"}
        return [{"Update": update}]

    async def _transact(self, items: Sequence[TransactWriteItemTypeDef]) -> bool:
        """False: the condition on the user's row, the first item, was not met. Raises LastAdmin: another was not."""
        try:
            with aws_errors("DynamoDB"):
                await past_conflicts(lambda: self._dynamodb.transact_write_items(TransactItems=items))
        except ClientError as error:
            reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
            if _NOT_MET not in reasons:
                raise
            if reasons[0] != _NOT_MET:
                raise LastAdmin from error
            return False
        return True


def _pointer(user_id: str) -> str:
    return f"id#{user_id}"


def _still(known: User) -> dict[str, Any]:
    """Only if it is the user that was read, in the version that was read."""
    return {
        "ConditionExpression": "user_id = :user_id AND version = :version",
        "ExpressionAttributeValues": {":user_id": {"S": known.user_id}, ":version": {"N": str(known.version)}},
    }


def _update(known: User, changed: User) -> dict[str, Any]:
    """What differs, and nothing else: a login may have stored a better hash of the same password meanwhile."""
    before, after, condition = row_of(known), row_of(changed), _still(known)
    new = {name: value for name, value in after.items() if before.get(name) != value}
    gone = before.keys() - after.keys()
    removing = " REMOVE " + ", ".join(f"#{name}" for name in gone) if gone else ""
    return {
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :new_{name}" for name in new) + removing,
        "ConditionExpression": condition["ConditionExpression"],
        "ExpressionAttributeNames": {f"#{name}": name for name in (*new, *gone)},
        "ExpressionAttributeValues": condition["ExpressionAttributeValues"]
        | {f":new_{name}": value for name, value in new.items()},
    }
