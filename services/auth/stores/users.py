"""Users in DynamoDB."""

from typing import Any

from botocore.exceptions import ClientError

from services.auth.domain.users import User
from services.auth.stores.tables import USERS
from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item


class Users:
    """All of them raise Unavailable when DynamoDB does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + USERS

    async def get(self, username: str) -> User | None:
        """The user of this folded name, as it stands now."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(
                TableName=self._table, Key={"username": {"S": username}}, ConsistentRead=True
            )
        return _user(from_item(answer["Item"])) if "Item" in answer else None

    async def add(self, user: User) -> bool:
        """False: there is one of this name already, and it stays as it is."""
        item = to_item(
            {
                "username": user.username,
                "user_id": user.user_id,
                "password_hash": user.password_hash,
                "roles": list(user.roles),
                "permissions": list(user.permissions),
                "disabled": user.disabled,
            }
        )
        try:
            with aws_errors("DynamoDB"):
                await self._dynamodb.put_item(
                    TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(username)"
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    async def replace_hash(self, user: User, password_hash: str) -> None:
        """Store a better hash of the same password, unless the password was changed meanwhile."""
        try:
            with aws_errors("DynamoDB"):
                await self._dynamodb.update_item(
                    TableName=self._table,
                    Key={"username": {"S": user.username}},
                    UpdateExpression="SET password_hash = :new",
                    ConditionExpression="password_hash = :old",
                    ExpressionAttributeValues={":new": {"S": password_hash}, ":old": {"S": user.password_hash}},
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise


def _user(row: dict[str, Any]) -> User:
    return User(
        user_id=row["user_id"],
        username=row["username"],
        password_hash=row["password_hash"],
        roles=tuple(row["roles"]),
        permissions=tuple(row["permissions"]),
        disabled=row["disabled"],
    )
