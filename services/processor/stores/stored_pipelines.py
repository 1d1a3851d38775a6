"""Stored pipelines in DynamoDB, in the table of the jobs: one item each, all of an owner in one partition.

Each method raises `Unavailable` when DynamoDB does not answer.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.processor.domain.job_names import JobRequest
from services.processor.domain.stored_pipelines import ListedPipeline, StoredPipeline
from services.processor.stores.conditional_writes import Refused, delete_if, put_if_absent, update_if
from services.processor.stores.job_items import VERSION
from services.processor.stores.job_keys import pipelines_pk
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item


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

    async def save(self, pipeline: StoredPipeline, *, instead_of: StoredPipeline | None) -> bool:
        """Store it if what stands there is still `instead_of` (None: nothing). False: it is not; nothing is stored.

        Where a first try was stored and its answer lost, the second finds its own, and that is right.
        """
        values = {
            "pipeline_text": pipeline.request.text,
            "etag": pipeline.etag,
            "updated_at_ms": pipeline.updated_at_ms,
        }
        key = _key(pipeline.owner, pipeline.name)
        try:
            if instead_of is None:
                await put_if_absent(self.dynamodb, self.table, {**key, "v": VERSION, **values})
            else:
                await update_if(
                    self.dynamodb,
                    self.table,
                    key,
                    update="SET pipeline_text = :pipeline_text, etag = :etag, updated_at_ms = :updated_at_ms",
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


def _pipeline_from(owner: str, item: Mapping[str, Any]) -> StoredPipeline:
    content = json.loads(item["pipeline_text"])
    request = JobRequest(content["data_source"], content["config"])
    return StoredPipeline(owner, item["sk"], request, item["updated_at_ms"])
