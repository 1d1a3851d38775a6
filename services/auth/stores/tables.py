"""auth's DynamoDB tables, and how they are made: on demand, with expiry and point-in-time recovery."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import ClientError

from shared.clients.aws import aws_errors, error_code
from shared.clients.aws_types import (
    AttributeDefinitionTypeDef,
    DynamoDBClient,
    GlobalSecondaryIndexTypeDef,
    KeySchemaElementTypeDef,
)
from shared.tokens.revocation_keys import TABLE as REVOCATIONS

USERS = "users"
USER_INDEX = "user-index"
SESSIONS = "sessions"
CLIENTS = "clients"
AUDIT = "audit"
VIEW = "view"
EVENT_INDEX = "by-event"
CLIENT_INDEX = "by-client"
USER_INDEXES = ("by-user", "by-other-user")
AUTHORIZATION_CODES = "authorization-codes"
DEVICE_AUTHORIZATIONS = "device-authorizations"
BROWSER_SESSIONS = "browser-sessions"
REVOCATION_LOG = "revocation-log"
API_KEYS = "api-keys"
ALIVE_BY_USER = "by-user"
SESSIONS_WITH_TOKENS = "with-tokens"
STATUS_LISTS = "status-lists"
KEY_RINGS = "key-rings"
EXPIRY = "expires_at"

_POLL_SECONDS = 0.2
_POLLS = 150


@dataclass(frozen=True, slots=True)
class Table:
    """`expires`: rows go some time after the Unix time in their `expires_at`."""

    name: str
    partition_key: str
    expires: bool = False
    sort_key: str | None = None
    indexes: tuple[GlobalSecondaryIndexTypeDef, ...] = ()
    index_keys: tuple[tuple[str, Literal["S", "N"]], ...] = ()

    @property
    def key_schema(self) -> list[KeySchemaElementTypeDef]:
        schema: list[KeySchemaElementTypeDef] = [{"AttributeName": self.partition_key, "KeyType": "HASH"}]
        if self.sort_key is not None:
            schema.append({"AttributeName": self.sort_key, "KeyType": "RANGE"})
        return schema

    @property
    def attributes(self) -> list[AttributeDefinitionTypeDef]:
        texts = [element["AttributeName"] for element in self.key_schema]
        keys = (*((name, "S") for name in texts), *self.index_keys)
        return [{"AttributeName": name, "AttributeType": kind} for name, kind in keys]


# Sparse: a session or a key leaves it when it ends.
_ALIVE_BY_USER: GlobalSecondaryIndexTypeDef = {
    "IndexName": ALIVE_BY_USER,
    "KeySchema": [
        {"AttributeName": "alive_for", "KeyType": "HASH"},
        {"AttributeName": "created_at_ms", "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "ALL"},
}
_ALIVE_KEYS: tuple[tuple[str, Literal["S", "N"]], ...] = (("alive_for", "S"), ("created_at_ms", "N"))

_WITH_TOKENS: GlobalSecondaryIndexTypeDef = {
    # Ended ones too, as long as a token of theirs lives.
    "IndexName": SESSIONS_WITH_TOKENS,
    "KeySchema": [
        {"AttributeName": "user_id", "KeyType": "HASH"},
        {"AttributeName": "tokens_expire_at", "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["listed_tokens"]},
}

_AUDIT_INDEXES = (EVENT_INDEX, CLIENT_INDEX, *USER_INDEXES)
"""Each is named as its key: an event lacks those that it does not belong to, and so is not in that index."""


def _by_time(name: str) -> GlobalSecondaryIndexTypeDef:
    return {
        "IndexName": name,
        "KeySchema": [
            {"AttributeName": name, "KeyType": "HASH"},
            {"AttributeName": "position", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    }


TABLES: Sequence[Table] = (
    Table(USERS, "username"),
    Table(USER_INDEX, "key"),
    Table(
        SESSIONS,
        "session_id",
        expires=True,
        indexes=(_ALIVE_BY_USER, _WITH_TOKENS),
        index_keys=(*_ALIVE_KEYS, ("user_id", "S"), ("tokens_expire_at", "N")),
    ),
    Table(API_KEYS, "key_id", expires=True, indexes=(_ALIVE_BY_USER,), index_keys=_ALIVE_KEYS),
    Table(CLIENTS, "client_id"),
    Table(AUTHORIZATION_CODES, "code_hash", expires=True),
    Table(DEVICE_AUTHORIZATIONS, "code_hash", expires=True),
    Table(BROWSER_SESSIONS, "id_hash", expires=True),
    Table(REVOCATIONS, "target", expires=True),
    Table(
        AUDIT,
        VIEW,
        expires=True,
        sort_key="position",
        indexes=tuple(map(_by_time, _AUDIT_INDEXES)),
        index_keys=tuple((name, "S") for name in _AUDIT_INDEXES),
    ),
    Table(REVOCATION_LOG, "bucket", expires=True, sort_key="entry"),
    Table(STATUS_LISTS, "list_id", expires=True),
    Table(KEY_RINGS, "ring"),
)


async def create_table(dynamodb: DynamoDBClient, prefix: str, table: Table) -> bool:
    """Make the table unless it is there, and return when it can be used. True: it was made here.

    Any number may do this at once; one makes the table, all wait for it, and all leave it in the same state.
    """
    name = prefix + table.name
    with aws_errors("DynamoDB"):
        created = await _create(dynamodb, name, table)
        await _until_active(dynamodb, name)
        if table.expires:
            await _expire_rows(dynamodb, name)
        await _keep_history(dynamodb, name)
    return created


async def _create(dynamodb: DynamoDBClient, name: str, table: Table) -> bool:
    indexes = {"GlobalSecondaryIndexes": list(table.indexes)} if table.indexes else {}
    try:
        await dynamodb.create_table(
            TableName=name,
            KeySchema=table.key_schema,
            AttributeDefinitions=table.attributes,
            BillingMode="PAY_PER_REQUEST",
            **indexes,  # type: ignore[arg-type]  # boto has no "not given"
        )
    except ClientError as error:
        if error_code(error) != "ResourceInUseException":
            raise
        return False
    return True


async def _until_active(dynamodb: DynamoDBClient, name: str) -> None:
    for _ in range(_POLLS):
        description = await dynamodb.describe_table(TableName=name)
        if description["Table"].get("TableStatus") == "ACTIVE":
            return
        await asyncio.sleep(_POLL_SECONDS)
    raise TimeoutError(f"table {name} is not active after {_POLLS * _POLL_SECONDS:g} s")


async def _expire_rows(dynamodb: DynamoDBClient, name: str) -> None:
    description = await dynamodb.describe_time_to_live(TableName=name)
    if description["TimeToLiveDescription"].get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}:
        return
    try:
        await dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRY}
        )
    except ClientError as error:  # another bootstrap was faster
        if error_code(error) != "ValidationException":
            raise


async def _keep_history(dynamodb: DynamoDBClient, name: str) -> None:
    try:
        await dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    except ClientError as error:  # not possible yet while AWS enables backups of a new table; the next run does it
        if error_code(error) != "ContinuousBackupsUnavailableException":
            raise
