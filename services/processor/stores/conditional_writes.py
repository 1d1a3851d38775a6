"""Conditional updates of one DynamoDB item, which answer with the item as it then is, or as it was when refused."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item

REFUSED = "ConditionalCheckFailedException"


class Refused(Exception):  # noqa: N818 - it states the fact
    """The condition did not hold. `item` is what stands there (empty: nothing)."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        super().__init__("the condition did not hold")
        self.item = item


async def put_if_absent(dynamodb: DynamoDBClient, table: str, values: Mapping[str, Any]) -> None:
    """Write a new item.

    Raises:
        Refused: there is one with this key.
        Unavailable: DynamoDB does not answer; it may have been written.
    """
    await _call(
        dynamodb.put_item(
            TableName=table,
            Item=to_item(values),
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    )


async def update_if(
    dynamodb: DynamoDBClient,
    table: str,
    key: Mapping[str, str],
    *,
    update: str,
    condition: str,
    values: Mapping[str, Any],
) -> dict[str, Any]:
    """Change one item where `condition` holds, and give all of it. `:v` in the expressions is `values["v"]`.

    Attribute names stand as `#name` where they are DynamoDB's own words.

    Raises:
        Refused: the condition does not hold.
        Unavailable: DynamoDB does not answer; it may have been written.
    """
    names = {f"#{word}": word for word in ("state", "error", "owner") if f"#{word}" in update + condition}
    request: dict[str, Any] = {
        "TableName": table,
        "Key": to_item(key),
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeValues": to_item({f":{name}": value for name, value in values.items()}),
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if names:
        request["ExpressionAttributeNames"] = names
    answer = await _call(dynamodb.update_item(**request))
    return from_item(answer["Attributes"])


async def delete_if(
    dynamodb: DynamoDBClient, table: str, key: Mapping[str, str], *, condition: str, values: Mapping[str, Any]
) -> None:
    """Delete one item where `condition` holds.

    Raises:
        Refused: the condition does not hold.
        Unavailable: DynamoDB does not answer; it may have been deleted.
    """
    await _call(
        dynamodb.delete_item(
            TableName=table,
            Key=to_item(key),
            ConditionExpression=condition,
            ExpressionAttributeValues=to_item({f":{name}": value for name, value in values.items()}),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    )


async def _call(call: Any) -> Any:  # noqa: ANN401 - any awaitable of the client
    try:
        with aws_errors("DynamoDB"):
            return await call
    except ClientError as error:
        if error_code(error) != REFUSED:
            raise
        old: Any = error.response.get("Item", {})
        raise Refused(from_item(old)) from None
