"""The answer to a dry run: what the job would be."""

from typing import Literal

from pydantic import Field

from services.processor.domain.costs import PRICES_OF, REGION, Requests
from services.processor.domain.formats import Encoding
from services.processor.domain.pinned_sources import PinnedObject, PinnedSource
from services.processor.domain.plans import JoinedSource, Plan
from services.processor.flows.try_job import Trial
from shared.web.schema import ResponseModel


class TriedObject(ResponseModel):
    name: str = Field(description="Its S3 URL.")
    etag: str | None = Field(description="The version that was found; null for made-up records.")
    bytes: int
    format: str
    compression: str

    @classmethod
    def of(cls, source: PinnedSource, encoding: Encoding) -> "TriedObject":
        etag = source.etag if isinstance(source, PinnedObject) else None
        return cls(name=source.name, etag=etag, bytes=source.size, **encoding.to_json())


class TriedJoin(ResponseModel):
    objects: list[TriedObject]
    schema_in: dict[str, str]

    @classmethod
    def of(cls, joined: JoinedSource) -> "TriedJoin":
        objects = [TriedObject.of(*pair) for pair in zip(joined.sources, joined.encodings, strict=True)]
        return cls(objects=objects, schema_in={column.name: column.type for column in joined.schema})


class TriedStep(ResponseModel):
    place: str = Field(description="Where it stands in the request.")
    needs_all_records: bool = Field(description="Then one worker does it, over what the parts before have kept.")


class TriedPlan(ResponseModel):
    objects: list[TriedObject] = Field(description="What is read, in this order.")
    schema_in: dict[str, str] = Field(description="Columns and their types, as inferred or as `input.schema` says.")
    joins: list[TriedJoin]
    steps: list[TriedStep]
    output: dict[str, str] = Field(description="`format` and `compression` of the result.")
    partition_by: list[str] = Field(description="The columns by which the result is split.")
    largest_partition_bytes: int
    engine: str

    @classmethod
    def of(cls, trial: Trial) -> "TriedPlan":
        plan = trial.plan
        return cls(
            objects=[TriedObject.of(*pair) for pair in zip(plan.sources, plan.encodings, strict=True)],
            schema_in={column.name: column.type for column in plan.schema},
            joins=[TriedJoin.of(joined) for joined in plan.joined],
            steps=[
                TriedStep(place=str(step.place), needs_all_records=step.needs_all_rows) for step in trial.pipeline.steps
            ],
            output=plan.output.to_json(),
            partition_by=list(plan.partition_by),
            largest_partition_bytes=_largest(plan),
            engine=plan.engine,
        )


class Estimate(ResponseModel):
    """Requests alone: no storage, no transfer, no machines."""

    usd: float
    region: str = Field(description="Whose list prices these are.")
    prices_of: str = Field(description="The month in which these were the list prices.")
    s3_reads: int = Field(description="GET and HEAD.")
    s3_writes: int = Field(description="PUT, LIST, and those of multipart uploads.")
    dynamodb_calls: int
    dynamodb_read_units: int
    dynamodb_write_units: int
    sqs_requests: int

    @classmethod
    def of(cls, requests: Requests) -> "Estimate":
        counts = {name: getattr(requests, name) for name in requests.__slots__}
        return cls(usd=round(requests.usd, 9), region=REGION, prices_of=PRICES_OF, **counts)


class TrialResponse(ResponseModel):
    """What the job would be. Nothing was written."""

    success: Literal[True] = True
    dry_run: Literal[True] = True
    bytes: int = Field(description="Of all objects, those of joins once.")
    partitions: int = Field(description="Pieces of work in all stages; fewer where a record is larger than a piece.")
    plan: TriedPlan
    estimate: Estimate

    @classmethod
    def of(cls, trial: Trial) -> "TrialResponse":
        plan = trial.plan
        joined = sum(source.size for one in plan.joined for source in one.sources)
        return cls(
            bytes=plan.bytes_in + joined,
            partitions=plan.parts,
            plan=TriedPlan.of(trial),
            estimate=Estimate.of(trial.requests),
        )


def _largest(plan: Plan) -> int:
    return max(plan.bytes_of(part) for part in range(len(plan.partitions)))
