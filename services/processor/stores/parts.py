"""The parts of jobs in DynamoDB, and the leases on work. A part's item begins with its first lease.

Each method raises `Unavailable` when DynamoDB does not answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.processor.domain.job_names import JobKey
from services.processor.domain.part_results import PartResult, RejectedFile
from services.processor.domain.progress import PartRecord
from services.processor.stores.conditional_writes import Refused, update_if
from services.processor.stores.job_items import NEW_LEASE, VERSION, counts_attributes, counts_from, lease_from
from services.processor.stores.job_keys import META, job_pk, part_sk
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient
from shared.clients.items import from_item, to_item


class LeaseLost(Exception):  # noqa: N818 - it states the fact
    """Another worker has taken the work over; what we did of it counts for nothing."""


class PartTaken(Exception):  # noqa: N818 - it states the fact
    """The part is done, or another worker has it: `record` says which."""

    def __init__(self, record: PartRecord) -> None:
        super().__init__("the part is done or taken")
        self.record = record


@dataclass(frozen=True, slots=True)
class Parts:
    dynamodb: DynamoDBClient
    table: str

    async def lease(self, key: JobKey, part: int, *, now_ms: int, until_ms: int, expires_at: int) -> PartRecord:
        """Take a part.

        Raises:
            PartTaken: it is done, or another worker has it.
        """
        try:
            item = await update_if(
                self.dynamodb,
                self.table,
                _part(key, part),
                update=f"SET {NEW_LEASE}, v = :v, expires_at = :expires_at ADD fence :one, attempts :one",
                condition=(
                    "attribute_not_exists(sha256) AND (attribute_not_exists(lease_until_ms) OR lease_until_ms <= :now)"
                ),
                values={"until": until_ms, "now": now_ms, "one": 1, "none": 0, "v": VERSION, "expires_at": expires_at},
            )
        except Refused as refused:
            raise PartTaken(_record_from(refused.item)) from None
        return _record_from(item)

    async def record(self, key: JobKey, result: PartResult, *, fence: int) -> None:
        """The part is done.

        Raises:
            LeaseLost: another worker has it, or has done it.
        """
        rejected = asdict(result.rejected) if result.rejected else {}
        done = {"sha256": result.sha256, **counts_attributes(result.counts)}
        done |= {f"rejected_{name}": value for name, value in rejected.items()}
        changes = ", ".join(f"{name} = :{name}" for name in done)
        try:
            await update_if(
                self.dynamodb,
                self.table,
                _part(key, result.part),
                update=f"SET {changes} REMOVE lease_until_ms",
                condition="fence = :fence AND attribute_not_exists(sha256)",
                values={**done, "fence": fence},
            )
        except Refused as refused:
            # Our own write, whose answer was lost on the way, and which was sent again.
            if refused.item.get("fence") != fence or refused.item.get("sha256") != result.sha256:
                raise LeaseLost from None

    async def all_of(self, key: JobKey) -> Sequence[PartRecord]:
        """Every part that was begun, in order (a consistent read)."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :part)",
            ExpressionAttributeValues=to_item({":pk": job_pk(key), ":part": "PART#"}),
            ConsistentRead=True,
        )
        with aws_errors("DynamoDB"):
            return [_record_from(from_item(item)) async for page in pages for item in page["Items"]]


@dataclass(frozen=True, slots=True)
class Leases:
    """Keeps and ends leases: on a part, or (part None) on the planning of a job."""

    dynamodb: DynamoDBClient
    table: str

    async def extend(self, key: JobKey, part: int | None, *, fence: int, until_ms: int) -> None:
        """Keep it until then.

        Raises:
            LeaseLost: it is not ours any more.
        """
        await self._change(key, part, fence, "SET lease_until_ms = :until", {"until": until_ms})

    async def give_back(self, key: JobKey, part: int | None, *, fence: int, counts: bool) -> None:
        """Let the next worker have it at once; `counts` says whether this was one of the work's attempts."""
        change = "REMOVE lease_until_ms" if counts else "REMOVE lease_until_ms ADD attempts :less"
        await self._change(key, part, fence, change, {} if counts else {"less": -1})

    async def _change(self, key: JobKey, part: int | None, fence: int, change: str, values: dict[str, Any]) -> None:
        try:
            await update_if(
                self.dynamodb,
                self.table,
                {"pk": job_pk(key), "sk": META} if part is None else _part(key, part),
                update=change,
                condition="fence = :fence AND attribute_exists(lease_until_ms)",
                values={**values, "fence": fence},
            )
        except Refused:
            raise LeaseLost from None


def _part(key: JobKey, part: int) -> dict[str, str]:
    return {"pk": job_pk(key), "sk": part_sk(part)}


def _record_from(item: Mapping[str, Any]) -> PartRecord:
    part = int(item["sk"].partition("#")[2])
    return PartRecord(part, lease_from(item), _result_from(item, part) if "sha256" in item else None)


def _result_from(item: Mapping[str, Any], part: int) -> PartResult:
    rejected = None
    if "rejected_sha256" in item:
        rejected = RejectedFile(item["rejected_sha256"], item["rejected_bytes"])
    return PartResult(part, item["sha256"], counts_from(item), rejected)
