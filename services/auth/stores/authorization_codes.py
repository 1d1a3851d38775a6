"""Authorization codes in DynamoDB."""

from typing import Any

from services.auth.domain.authorization_codes import AuthorizationCode
from services.auth.domain.sessions import Session
from services.auth.stores.conflicts import condition_held
from services.auth.stores.consent_rows import consent_of, consent_row
from services.auth.stores.session_rows import row_of
from services.auth.stores.tables import AUTHORIZATION_CODES, SESSIONS
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item

_KEPT_SECONDS = 3600


class AuthorizationCodes:
    """All of them raise Unavailable when DynamoDB does not answer.

    A code that was never used goes an hour after it was made; one that was used is kept as long as its session, so that
    it is known when it comes again.
    """

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + AUTHORIZATION_CODES
        self._sessions_table = table_prefix + SESSIONS

    async def save(self, code: AuthorizationCode) -> None:
        """A new one."""
        row = {
            "code_hash": code.code_hash,
            **consent_row(code.consent),
            "redirect_uri": code.redirect_uri,
            "redirect_uri_was_given": code.redirect_uri_was_given,
            "challenge": code.challenge,
            "good_until": code.good_until,
            "expires_at": code.good_until + _KEPT_SECONDS,
        }
        with aws_errors("DynamoDB"):
            await self._dynamodb.put_item(TableName=self._table, Item=to_item(row))

    async def get(self, code_hash: str) -> AuthorizationCode | None:
        """The code as it stands now, used ones too."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(
                TableName=self._table, Key={"code_hash": {"S": code_hash}}, ConsistentRead=True
            )
        return _code_of(answer["Item"]) if "Item" in answer else None

    async def redeem(self, code: AuthorizationCode, session: Session) -> bool:
        """Use the code and begin the session: both or neither. False: it was used already."""
        use: Any = {
            "TableName": self._table,
            "Key": {"code_hash": {"S": code.code_hash}},
            "UpdateExpression": "SET session_id = :session, expires_at = :expiry",
            "ConditionExpression": "attribute_exists(code_hash) AND attribute_not_exists(session_id)",
            "ExpressionAttributeValues": {
                ":session": {"S": session.session_id},
                ":expiry": {"N": str(session.expires_at)},
            },
        }
        begin: Any = {"TableName": self._sessions_table, "Item": row_of(session)}
        items: Any = [{"Update": use}, {"Put": begin}]
        return await condition_held(lambda: self._dynamodb.transact_write_items(TransactItems=items))


def _code_of(item: dict[str, Any]) -> AuthorizationCode:
    row = from_item(item)
    return AuthorizationCode(
        code_hash=row["code_hash"],
        consent=consent_of(row),
        redirect_uri=row["redirect_uri"],
        redirect_uri_was_given=row["redirect_uri_was_given"],
        challenge=row["challenge"],
        good_until=row["good_until"],
        session_id=row.get("session_id"),
    )
