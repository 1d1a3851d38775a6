"""Jobs in DynamoDB: META items. Every write is conditional, so whoever comes late changes nothing.

Each method raises `Unavailable` when DynamoDB does not answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.processor.domain.job_names import JobKey, JobNotFound
from services.processor.domain.jobs import Job, ListedJob, OpenJob
from services.processor.domain.outcomes import Outcome
from services.processor.domain.plans import Plan
from services.processor.domain.quotas import Usage
from services.processor.stores.conditional_writes import Refused, put_if_absent, update_if
from services.processor.stores.job_items import NEW_LEASE, job_from, listed_from, new_job_item, outcome_attributes
from services.processor.stores.job_keys import BY_OWNER, META, OPEN_BY_OWNER, OPEN_JOBS, job_key_of, job_pk, shard_of
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item


class LeaseRefused(Exception):  # noqa: N818 - it states the fact
    """The work is done, or somebody else has it. `job` is its job as it stands, None when there is none."""

    def __init__(self, job: Job | None) -> None:
        super().__init__("the lease was refused")
        self.job = job


@dataclass(frozen=True, slots=True)
class Jobs:
    dynamodb: DynamoDBClient
    table: str
    with_outbox: bool = False
    """Whether somebody is to be told how jobs end."""

    async def claim(self, job: Job, *, sweep_at_ms: int, expires_at: int) -> Job:
        """Write the job if its name is free, and give the job that has the name: this one or an earlier one."""
        item = new_job_item(job, sweep_at_ms=sweep_at_ms, expires_at=expires_at)
        try:
            await put_if_absent(self.dynamodb, self.table, item)
        except Refused as refused:
            return job_from(refused.item)
        return job

    async def get(self, key: JobKey) -> Job | None:
        """The job as it stands (a consistent read)."""
        with aws_errors("DynamoDB"):
            answer = await self.dynamodb.get_item(TableName=self.table, Key=to_item(_meta(key)), ConsistentRead=True)
        return job_from(from_item(answer["Item"])) if "Item" in answer else None

    async def find(self, key: JobKey) -> Job:
        """The job as it stands.

        Raises:
            JobNotFound: its owner has none of that name.
        """
        job = await self.get(key)
        if job is None:
            raise JobNotFound("You have no job of that id. GET /api/process lists yours.")
        return job

    async def has_ended(self, key: JobKey) -> bool:
        """Whether the record says so, or is gone; a write of this second may be missed."""
        with aws_errors("DynamoDB"):
            answer = await self.dynamodb.get_item(
                TableName=self.table, Key=to_item(_meta(key)), ProjectionExpression="finished_at_ms, fence"
            )
        item = answer.get("Item")
        return item is None or "finished_at_ms" in item

    async def lease_plan(self, key: JobKey, *, now_ms: int, until_ms: int) -> Job:
        """Take the job in order to plan it.

        Raises:
            LeaseRefused: it is planned, it has ended, or another worker plans it.
        """
        try:
            item = await update_if(
                self.dynamodb,
                self.table,
                _meta(key),
                update=f"SET {NEW_LEASE} ADD fence :one, attempts :one",
                condition="#state = :accepted AND (attribute_not_exists(lease_until_ms) OR lease_until_ms <= :now)",
                values={"until": until_ms, "now": now_ms, "one": 1, "none": 0, "accepted": "accepted"},
            )
        except Refused as refused:
            raise LeaseRefused(job_from(refused.item) if refused.item else None) from None
        return job_from(item)

    async def open(self, key: JobKey, plan: Plan, *, at_once: int, now_ms: int) -> Job:
        """The job runs by this plan, so many parts asked for at once. Planners who come later find it so, or ended."""
        try:
            item = await update_if(
                self.dynamodb,
                self.table,
                _meta(key),
                update=(
                    "SET #state = :running, parts = :parts, second_parts = :second_parts, parts_at_once = :at_once, "
                    "plan_bytes_in = :bytes, opened_at_ms = :now REMOVE lease_until_ms"
                ),
                condition="#state = :accepted",
                values={
                    "running": "running",
                    "accepted": "accepted",
                    "now": now_ms,
                    "parts": plan.parts,
                    "second_parts": plan.second_parts,
                    "at_once": at_once,
                    "bytes": plan.bytes_in,
                },
            )
        except Refused as refused:
            return _found(refused)
        return job_from(item)

    async def finish(self, key: JobKey, outcome: Outcome) -> Job:
        """The job has ended, as its manifest says: open no more, and to be told of. Again, this changes nothing."""
        said = outcome_attributes(outcome) | {"outbox_shard": shard_of(key) if self.with_outbox else None}
        values = {name: value for name, value in said.items() if value is not None}
        reserved = {"state", "error"}
        changes = ", ".join(f"{'#' if name in reserved else ''}{name} = :{name}" for name in values)
        try:
            item = await update_if(
                self.dynamodb,
                self.table,
                _meta(key),
                update=f"SET {changes} REMOVE open_shard, sweep_at_ms, open_owner, lease_until_ms",
                condition="attribute_exists(open_shard)",
                values=values,
            )
        except Refused as refused:
            return _found(refused)
        return job_from(item)

    async def page_of(
        self, owner: str, *, after: str | None, limit: int, state: str | None
    ) -> tuple[Sequence[ListedJob], str | None]:
        """One look into an owner's jobs, newest first: at most `limit` are looked at, those in `state` are given.

        `after` is the listing key to go on behind; the second value is the next one, None at the end. Eventually
        consistent.
        """
        request: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": BY_OWNER,
            "KeyConditionExpression": "#owner = :owner",
            "ExpressionAttributeNames": {"#owner": "owner"} | ({"#state": "state"} if state else {}),
            "ExpressionAttributeValues": to_item({":owner": owner} | ({":state": state} if state else {})),
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if state:
            request["FilterExpression"] = "#state = :state"
        if after:
            request["ExclusiveStartKey"] = to_item(
                {"owner": owner, "listing": after, "pk": _pk_of(owner, after), "sk": META}
            )
        with aws_errors("DynamoDB"):
            answer = await self.dynamodb.query(**request)
        last = answer.get("LastEvaluatedKey")
        return [listed_from(from_item(item)) for item in answer["Items"]], from_item(last)["listing"] if last else None

    async def usage_of(self, owner: str) -> Usage:
        """What the owner has open. Eventually consistent."""
        jobs = read = 0
        start: dict[str, Any] = {}
        while True:
            with aws_errors("DynamoDB"):
                answer = await self.dynamodb.query(
                    TableName=self.table,
                    IndexName=OPEN_BY_OWNER,
                    KeyConditionExpression="open_owner = :owner",
                    # A worker of an earlier version ends a job and leaves it in this index.
                    FilterExpression="#state IN (:accepted, :running)",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues=to_item(
                        {":owner": owner, ":accepted": "accepted", ":running": "running"}
                    ),
                    **start,
                )
            jobs += answer["Count"]
            read += sum(from_item(item).get("plan_bytes_in", 0) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return Usage(jobs, read)
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    async def due(self, shard: str, *, now_ms: int, limit: int) -> Sequence[OpenJob]:
        """Open jobs whose time to be looked after has come. Eventually consistent."""
        with aws_errors("DynamoDB"):
            answer = await self.dynamodb.query(
                TableName=self.table,
                IndexName=OPEN_JOBS,
                KeyConditionExpression="open_shard = :shard AND sweep_at_ms <= :now",
                ExpressionAttributeValues=to_item({":shard": shard, ":now": now_ms}),
                Limit=limit,
            )
        items = [from_item(item) for item in answer["Items"]]
        return [OpenJob(job_key_of(item["pk"]), item["submitted_at_ms"], item["sweep_at_ms"]) for item in items]

    async def postpone(self, open_job: OpenJob, *, until_ms: int) -> Job | None:
        """Take it on oneself to look after an open job; None when another sweeper was faster or the job has ended."""
        try:
            item = await update_if(
                self.dynamodb,
                self.table,
                _meta(open_job.key),
                update="SET sweep_at_ms = :until",
                condition="sweep_at_ms = :was",
                values={"until": until_ms, "was": open_job.sweep_at_ms},
            )
        except Refused:
            return None
        return job_from(item)


def _meta(key: JobKey) -> dict[str, str]:
    return {"pk": job_pk(key), "sk": META}


def _found(refused: Refused) -> Job:
    if not refused.item:
        raise JobNotFound("The job's record is gone: its time had come.")
    return job_from(refused.item)


def _pk_of(owner: str, listing: str) -> str:
    _, _, processing_id = listing.partition("#")
    return job_pk(JobKey(owner, processing_id))
