"""The outbox in DynamoDB: jobs that have ended and whose event is still to be told.

An event is put into it by the very write that ends the job's record, so there is none without the other.
Each method raises `Unavailable` when DynamoDB does not answer.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.processor.domain.job_events import JobEvent
from services.processor.stores.conditional_writes import Refused, update_if
from services.processor.stores.job_items import listed_from
from services.processor.stores.job_keys import META, OUTBOX, job_key_of, job_pk
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item


@dataclass(frozen=True, slots=True)
class Outbox:
    dynamodb: DynamoDBClient
    table: str

    async def pages(self, shard: str, *, limit: int) -> AsyncIterator[Sequence[JobEvent]]:
        """The events that wait, the oldest first, so many at a time. Eventually consistent."""
        start: dict[str, Any] = {}
        while True:
            with aws_errors("DynamoDB"):
                answer = await self.dynamodb.query(
                    TableName=self.table,
                    IndexName=OUTBOX,
                    KeyConditionExpression="outbox_shard = :shard",
                    ExpressionAttributeValues=to_item({":shard": shard}),
                    Limit=limit,
                    **start,
                )
            events = [_event_from(from_item(item)) for item in answer["Items"]]
            if events:
                yield events
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    async def clear(self, event: JobEvent) -> None:
        """It was told. Doing it again changes nothing."""
        try:
            await update_if(
                self.dynamodb,
                self.table,
                {"pk": job_pk(event.key), "sk": META},
                update="REMOVE outbox_shard",
                condition="submitted_at_ms = :submitted_at_ms",
                values={"submitted_at_ms": event.submitted_at_ms},
            )
        except Refused:
            return  # the job's time had come


def _event_from(item: dict[str, Any]) -> JobEvent:
    job = listed_from(item)
    assert job.outcome is not None  # noqa: S101 - only jobs that have ended are in the index
    return JobEvent(job_key_of(item["pk"]), job.submitted_at_ms, job.outcome)
