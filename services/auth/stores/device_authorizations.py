"""Device authorizations in DynamoDB. Each change is conditional on the row itself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.auth.domain.consents import Consent
from services.auth.domain.device_codes import DeviceAuthorization
from services.auth.domain.sessions import Origin, Session
from services.auth.stores.conflicts import condition_held
from services.auth.stores.consent_rows import consent_of, consent_row
from services.auth.stores.session_rows import row_of
from services.auth.stores.tables import DEVICE_AUTHORIZATIONS, SESSIONS
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item

_KEPT_SECONDS = 3600
_EXISTS = "attribute_exists(code_hash)"


class DeviceAuthorizations:
    """All of them raise Unavailable when DynamoDB does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + DEVICE_AUTHORIZATIONS
        self._sessions_table = table_prefix + SESSIONS

    async def add(self, row: DeviceAuthorization) -> bool:
        """False: another device has this user code."""
        item = to_item(
            {
                "code_hash": row.code_hash,
                "secret_hash": row.secret_hash,
                "client_id": row.client_id,
                "scope": sorted(row.scope),
                "address": row.origin.address,
                "user_agent": row.origin.user_agent,
                "good_until": row.good_until,
                "interval_seconds": row.interval_seconds,
                "asked_at_ms": row.asked_at_ms,
                "decision": row.decision,
                "expires_at": row.good_until + _KEPT_SECONDS,
            }
        )
        return await condition_held(
            lambda: self._dynamodb.put_item(
                TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(code_hash)"
            )
        )

    async def get(self, code_hash: str) -> DeviceAuthorization | None:
        """As it stands now, decided and exchanged ones too."""
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.get_item(
                TableName=self._table, Key={"code_hash": {"S": code_hash}}, ConsistentRead=True
            )
        return _authorization_of(answer["Item"]) if "Item" in answer else None

    async def note_asked(self, row: DeviceAuthorization, interval_seconds: int, now: float) -> None:
        """The device asked now, and is to ask in this interval from now on."""
        await self._update(
            row,
            "asked_at_ms = :asked, interval_seconds = :interval",
            _EXISTS,
            asked=int(now * 1000),
            interval=interval_seconds,
        )

    async def decide(self, row: DeviceAuthorization, consent: Consent | None) -> bool:
        """The user allows it (by this consent) or does not. False: it was decided already."""
        decision = "denied" if consent is None else "allowed"
        changes: dict[str, Any] = {"decision": decision} | (
            {} if consent is None else {"consent": consent_row(consent)}
        )
        settings = ", ".join(f"{name} = :{name}" for name in changes)
        return await self._update(row, settings, "decision = :pending", pending="pending", **changes)

    async def exchange(self, row: DeviceAuthorization, session: Session) -> bool:
        """Use the code and begin the session: both or neither. False: it was used already."""
        use: Any = {
            "TableName": self._table,
            "Key": {"code_hash": {"S": row.code_hash}},
            "UpdateExpression": "SET session_id = :session, expires_at = :expiry",
            "ConditionExpression": f"{_EXISTS} AND attribute_not_exists(session_id)",
            "ExpressionAttributeValues": {
                ":session": {"S": session.session_id},
                ":expiry": {"N": str(session.expires_at)},
            },
        }
        items: Any = [{"Update": use}, {"Put": {"TableName": self._sessions_table, "Item": row_of(session)}}]
        return await condition_held(lambda: self._dynamodb.transact_write_items(TransactItems=items))

    async def _update(self, row: DeviceAuthorization, settings: str, condition: str, **values: object) -> bool:
        return await condition_held(
            lambda: self._dynamodb.update_item(
                TableName=self._table,
                Key={"code_hash": {"S": row.code_hash}},
                UpdateExpression=f"SET {settings}",
                ConditionExpression=condition,
                ExpressionAttributeValues=to_item({f":{name}": value for name, value in values.items()}),
            )
        )


def _authorization_of(item: Mapping[str, Any]) -> DeviceAuthorization:
    row = from_item(item)
    authorization = DeviceAuthorization(
        code_hash=row["code_hash"],
        secret_hash=row["secret_hash"],
        client_id=row["client_id"],
        scope=frozenset(row["scope"]),
        origin=Origin(row["address"], row["user_agent"]),
        good_until=row["good_until"],
        interval_seconds=row["interval_seconds"],
        asked_at_ms=row["asked_at_ms"],
        decision=row["decision"],
        session_id=row.get("session_id"),
    )
    return replace(authorization, consent=consent_of(row["consent"])) if "consent" in row else authorization
