"""Stored pipelines in DynamoDB, in the table of the jobs: one item each, all of an owner in one partition.

Each method raises `Unavailable` when DynamoDB does not answer.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.processor.domain.fingerprint import canonical_json
from services.processor.domain.job_names import JobRequest
from services.processor.domain.stored_pipelines import ListedPipeline, StoredPipeline
from services.processor.domain.triggers import trigger_from
from services.processor.stores.conditional_writes import Refused, delete_if, put_if_absent, update_if
from services.processor.stores.job_items import VERSION
from services.processor.stores.job_keys import OPEN_JOBS, TRIGGERED_PIPELINES, pipelines_owner_of, pipelines_pk
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item

_DISARM = " REMOVE signed_context, open_shard, sweep_at_ms"


@dataclass(frozen=True, slots=True)
class StoredPipelines:
    dynamodb: DynamoDBClient
    table: str

    async def get(self, owner: str, name: str) -> StoredPipeline | None:
        """As it stands (a consistent read)."""
        key = to_item(_key(owner, name))
        with aws_errors("DynamoDB"):
            answer = await self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return _pipeline_from(owner, from_item(answer["Item"])) if "Item" in answer else None

    async def save(self, pipeline: StoredPipeline, *, instead_of: StoredPipeline | None, look_at_ms: int) -> bool:
        """Store it if what stands there is still `instead_of` (None: nothing). False: it is not; nothing is stored.

        `look_at_ms`: when it is to be looked after, if it runs by itself.

        Where a first try was stored and its answer lost, the second finds its own, and that is right.
        """
        values = {
            "pipeline_text": pipeline.request.text,
            "triggers": canonical_json([trigger.to_json() for trigger in pipeline.triggers]),
            "etag": pipeline.etag,
            "updated_at_ms": pipeline.updated_at_ms,
        }
        if pipeline.is_armed:
            values |= _armed(pipeline.context, look_at_ms)
        key = _key(pipeline.owner, pipeline.name)
        try:
            if instead_of is None:
                await put_if_absent(self.dynamodb, self.table, {**key, "v": VERSION, **values})
            else:
                await update_if(
                    self.dynamodb,
                    self.table,
                    key,
                    update=_set(values) + ("" if pipeline.is_armed else _DISARM),
                    condition="etag = :was",
                    values={**values, "was": instead_of.etag},
                )
        except Refused as refused:
            return refused.item.get("etag") == pipeline.etag
        return True

    async def delete(self, pipeline: StoredPipeline) -> bool:
        """Delete it if it is still this. False: it was changed or deleted meanwhile."""
        key = _key(pipeline.owner, pipeline.name)
        try:
            await delete_if(self.dynamodb, self.table, key, condition="etag = :was", values={"was": pipeline.etag})
        except Refused as refused:
            return not refused.item
        return True

    async def has_at_least(self, count: int, owner: str) -> bool:
        """Whether the owner has stored so many, or more."""
        seen, after = 0, None
        while seen < count:
            page, after = await self.page_of(owner, after=after, limit=count - seen)
            seen += len(page)
            if after is None:
                break
        return seen >= count

    async def with_triggers(self, owner: str) -> Sequence[StoredPipeline]:
        """All of the owner's that run by themselves (a consistent read)."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            FilterExpression="attribute_exists(signed_context)",
            ExpressionAttributeValues=to_item({":pk": pipelines_pk(owner)}),
            ConsistentRead=True,
        )
        with aws_errors("DynamoDB"):
            return [_pipeline_from(owner, from_item(item)) async for page in pages for item in page["Items"]]

    async def due(self, *, now_ms: int, limit: int) -> Sequence[tuple[str, str]]:
        """Owner and name of those that are to be looked after, the longest due first. Eventually consistent."""
        with aws_errors("DynamoDB"):
            answer = await self.dynamodb.query(
                TableName=self.table,
                IndexName=OPEN_JOBS,
                KeyConditionExpression="open_shard = :shard AND sweep_at_ms <= :now",
                ExpressionAttributeValues=to_item({":shard": TRIGGERED_PIPELINES, ":now": now_ms}),
                Limit=limit,
            )
        items = [from_item(item) for item in answer["Items"]]
        return [(pipelines_owner_of(item["pk"]), item["sk"]) for item in items]

    async def arm(self, pipeline: StoredPipeline, context: str, *, look_at_ms: int) -> None:
        """Give it a new context instead of the one that it has, if it is still this and has that."""
        values = _armed(context, look_at_ms)
        has = "signed_context = :has" if pipeline.context else "attribute_not_exists(signed_context)"
        known = {"was": pipeline.etag, **({"has": pipeline.context} if pipeline.context else {})}
        await self._change(pipeline, _set(values), f"etag = :was AND {has}", {**values, **known})

    async def disarm(self, pipeline: StoredPipeline) -> None:
        """Take the context away from it, if it still has that, whatever else it says."""
        await self._change(pipeline, _DISARM.strip(), "signed_context = :has", {"has": pipeline.context})

    async def _change(self, pipeline: StoredPipeline, update: str, condition: str, values: Mapping[str, Any]) -> None:
        key = _key(pipeline.owner, pipeline.name)
        try:
            await update_if(self.dynamodb, self.table, key, update=update, condition=condition, values=values)
        except Refused:
            return  # it was stored anew, deleted, or another instance was faster

    async def page_of(
        self, owner: str, *, after: str | None, limit: int
    ) -> tuple[Sequence[ListedPipeline], str | None]:
        """So many at most, by name, behind the name `after`; and the name to go on behind, None at the end.

        DynamoDB reads a megabyte at a time, so a page of large ones is short. A consistent read.
        """
        start: dict[str, Any] = {"ExclusiveStartKey": to_item(_key(owner, after))} if after else {}
        with aws_errors("DynamoDB"):
            answer = await self.dynamodb.query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=to_item({":pk": pipelines_pk(owner)}),
                ProjectionExpression="sk, updated_at_ms",
                ConsistentRead=True,
                Limit=limit,
                **start,
            )
        last = answer.get("LastEvaluatedKey")
        items = [from_item(item) for item in answer["Items"]]
        listed = [ListedPipeline(item["sk"], item["updated_at_ms"]) for item in items]
        return listed, from_item(last)["sk"] if last else None


def _key(owner: str, name: str) -> dict[str, str]:
    return {"pk": pipelines_pk(owner), "sk": name}


def _armed(context: str, look_at_ms: int) -> dict[str, Any]:
    return {"signed_context": context, "open_shard": TRIGGERED_PIPELINES, "sweep_at_ms": look_at_ms}


def _set(values: Mapping[str, Any]) -> str:
    return f"SET {', '.join(f'{name} = :{name}' for name in values)}"


def _pipeline_from(owner: str, item: Mapping[str, Any]) -> StoredPipeline:
    content = json.loads(item["pipeline_text"])
    request = JobRequest(content["data_source"], content["config"])
    triggers = tuple(trigger_from(stored) for stored in json.loads(item.get("triggers", "[]")))
    return StoredPipeline(owner, item["sk"], request, item["updated_at_ms"], triggers, item.get("signed_context", ""))
