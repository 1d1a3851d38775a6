"""A request becomes a plan: its sources are found and pinned, looked into, and cut into parts."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from services.processor.domain.job_names import JobRequest
from services.processor.domain.pipeline import Pipeline, parse_config
from services.processor.domain.plans import JoinedSource, Plan, divided
from services.processor.domain.sources import parse_source
from services.processor.domain.submissions import SourceAccess
from services.processor.engine.inputs import InputPlan
from services.processor.engine.session import engine_version
from services.processor.stores.cutting import Cutting
from services.processor.stores.source_finder import Found, SourceFinder

LookInto: TypeAlias = Callable[[Pipeline, Found, Sequence[Found]], Awaitable[tuple[InputPlan, tuple[InputPlan, ...]]]]


@dataclass(frozen=True, slots=True)
class Planner:
    finder: SourceFinder
    look_into: LookInto
    cutting: Cutting
    access: SourceAccess

    async def plan(self, owner: str, request: JobRequest) -> Plan:
        """Nothing is written.

        Raises:
            ValidationFailed: source, pipeline or the first records are wrong.
            Unavailable: S3 does not answer.
        """
        pipeline = parse_config(request.config)
        rules = self.access.rules_for(owner)
        found = await self.finder.find(parse_source(request.data_source, rules))
        joined = await self.finder.find_joined(pipeline, rules)
        inputs, theirs = await self.look_into(pipeline, found, joined)
        slices, most_bytes = await self.cutting.slices(found, inputs.encodings), self.cutting.piece_bytes
        partitions, row_steps = divided(pipeline, inputs.schema, found.sources, slices, most_bytes)
        return Plan(
            request_sha256=request.fingerprint,
            sources=found.sources,
            encodings=inputs.encodings,
            partitions=partitions,
            schema=inputs.schema,
            output=inputs.output,
            engine=engine_version(),
            joined=tuple(
                JoinedSource(one.sources, read.encodings, read.schema) for one, read in zip(joined, theirs, strict=True)
            ),
            row_steps=row_steps,
            partition_by=pipeline.output.partition_by,
        )
