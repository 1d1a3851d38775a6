"""The tables of an auth, made once for many tests: each finds in them what bootstrap left, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from services.auth.bootstrap import lay_ground
from services.auth.settings import BootstrapSettings
from services.auth.stores.tables import TABLES, Table
from shared.clients.aws import open_dynamodb
from shared.clients.aws_types import DynamoDBClient

_MOST_WRITES = 25  # of one BatchWriteItem
_Key: TypeAlias = tuple[str, ...]
_Row: TypeAlias = dict[str, Any]


@dataclass
class Ground:
    """`restore` puts every row back that was changed or deleted since it was laid, and takes away what was added.

    Private keys in SSM are not restored: tests of the key ring lay a ground of their own.
    """

    table_prefix: str
    dynamodb: DynamoDBClient
    laid: dict[str, Mapping[_Key, _Row]] = field(default_factory=dict)

    async def remember(self) -> None:
        rows = await asyncio.gather(*map(self._rows, TABLES))
        self.laid = {table.name: found for table, found in zip(TABLES, rows, strict=True)}

    async def restore(self) -> None:
        await asyncio.gather(*map(self._restore, TABLES))

    async def _restore(self, table: Table) -> None:
        laid, found = self.laid[table.name], await self._rows(table)
        writes: list[Any] = [
            {"DeleteRequest": {"Key": {name: row[name] for name in _key_names(table)}}}
            for key, row in found.items()
            if key not in laid
        ]
        writes += [{"PutRequest": {"Item": row}} for key, row in laid.items() if found.get(key) != row]
        for start in range(0, len(writes), _MOST_WRITES):
            batch = {self.table_prefix + table.name: writes[start : start + _MOST_WRITES]}
            answer = await self.dynamodb.batch_write_item(RequestItems=batch)
            assert not answer.get("UnprocessedItems")

    async def _rows(self, table: Table) -> dict[_Key, _Row]:
        name = self.table_prefix + table.name
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
        names = _key_names(table)
        return {tuple(row[name]["S"] for name in names): row async for page in pages for row in page["Items"]}


def _key_names(table: Table) -> list[str]:
    return [element["AttributeName"] for element in table.key_schema]


@asynccontextmanager
async def laid_ground(settings: BootstrapSettings) -> AsyncIterator[Ground]:
    await lay_ground(settings)
    async with open_dynamodb(settings) as dynamodb:
        ground = Ground(settings.table_prefix, dynamodb)
        await ground.remember()
        yield ground
