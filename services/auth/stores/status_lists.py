"""Status lists in DynamoDB: whose a list is, and how many of its lanes are taken. A lane is never taken twice."""

from services.auth.domain.status_lists import WINDOW_SECONDS, StatusList
from services.auth.stores.tables import STATUS_LISTS
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item
from shared.tokens.claims import MAX_LIFETIME_SECONDS

_MARGIN_SECONDS = 3600


class StatusLists:
    """All of them raise Unavailable when DynamoDB does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + STATUS_LISTS

    async def take_lane(self, listed: StatusList) -> int:
        """The number of a lane that nobody had before, from 0; it may lie past the list's last one."""
        values = {
            ":one": 1,
            ":client": listed.client_id,
            ":key": listed.key_id,
            ":subject": listed.subject or "",
            ":series": listed.series,
            ":expiry": listed.starts_at + WINDOW_SECONDS + MAX_LIFETIME_SECONDS + _MARGIN_SECONDS,
        }
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.update_item(
                TableName=self._table,
                Key={"list_id": {"S": listed.list_id}},
                UpdateExpression="SET client_id = :client, key_id = :key, subject = :subject, series = :series, "
                "expires_at = :expiry ADD lanes :one",
                ExpressionAttributeValues=to_item(values),
                ReturnValues="UPDATED_NEW",
            )
        return int(from_item(answer["Attributes"])["lanes"]) - 1

    async def get(self, list_id: str) -> StatusList | None:
        """None: no token has ever named it, or they have all expired."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(
                TableName=self._table, Key={"list_id": {"S": list_id}}, ConsistentRead=True
            )
        if "Item" not in answer:
            return None
        row = from_item(answer["Item"])
        window = int(list_id.partition("-")[0], 16)
        return StatusList(row["client_id"], row["key_id"], row["subject"] or None, window, row["series"])
