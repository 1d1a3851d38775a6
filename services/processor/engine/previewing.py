"""A pipeline tried on the first records of its input. Nothing is left behind."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from services.processor.domain.formats import NDJSON, PARQUET, Encoding
from services.processor.domain.pipeline import Pipeline
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.steps.join import Join
from services.processor.engine.checking import CheckedPipeline, check
from services.processor.engine.files import PlainFile
from services.processor.engine.inputs import InputPlan, ObjectSample, plain_sample, plan_inputs, plan_joins
from services.processor.engine.running import BadRecords, PlainJoined, run_plain
from services.processor.engine.session import EngineLimits, Stop, full_disk_named, open_session
from services.processor.engine.writing import OutputFile

_AS_LINES = Encoding(NDJSON, "none")


@dataclass(frozen=True, slots=True)
class Preview:
    """Records as JSON objects; schemas as `{name: type}`."""

    records_in: list[dict[str, object]]
    records_out: list[dict[str, object]]
    schema_in: dict[str, str]
    schema_out: dict[str, str]
    rejected: list[dict[str, object]]
    warnings: list[str]


_MOST_DIGITS = 1000
_MOST_OF_ROW_GROUPS = 10_000


def preview(
    pipeline: Pipeline,
    samples: Sequence[ObjectSample],
    joined: Sequence[Sequence[ObjectSample]],
    records: int,
    *,
    processed_at: str,
    limits: EngineLimits,
) -> Preview:
    """The first so many records of the samples, and of what the pipeline makes of all that the samples hold.

    `joined` are samples of what the joins read, without content where an object was not looked into. Raises
    PipelineError, RecordError and WorkFolderFull, as a run would.
    """
    schema = plan_inputs(pipeline, samples).schema
    seen = [[sample for sample in one if sample.content] or one[:1] for one in joined]
    others = plan_joins(pipeline, seen)
    checked = check(pipeline.knowing([one.schema for one in others]), schema)
    identity = CheckedPipeline(schema, (), schema, stamp=False)
    with full_disk_named(), open_session(limits, Stop()) as session:
        files = [_file(pipeline, sample, session.folder / f"sample-{i}") for i, sample in enumerate(samples)]
        numbered = enumerate(zip(pipeline.joins, seen, others, strict=True))
        theirs = [_joined(*one, session.folder / f"joined-{i}") for i, one in numbered]
        before, after, rejected = (session.folder / name for name in ("before", "after", "rejected"))
        bad = BadRecords(rejected) if pipeline.leaves_out_bad_records else None
        their_files = [file for one in theirs for file in one.files]
        session.may_read([*(file.path for file in (*files, *their_files)), before, after], with_scratch=True)
        run_plain(identity, files, OutputFile(before, _AS_LINES), bad=bad, processed_at=processed_at, session=session)
        target = OutputFile(after, _AS_LINES)
        run_plain(checked, files, target, joined=theirs, bad=bad, processed_at=processed_at, session=session)
        return Preview(
            _records(before, records),
            _records(after, records),
            schema.to_json(),
            checked.output.to_json(),
            _records(rejected, records) if rejected.exists() else [],
            _warnings(pipeline, samples, joined, schema),
        )


def _joined(join: Join, samples: Sequence[ObjectSample], plan: InputPlan, path: Path) -> PlainJoined:
    stated = Pipeline(input=join.input)
    files = [_file(stated, sample, path.with_name(f"{path.name}-{i}")) for i, sample in enumerate(samples)]
    return PlainJoined(join.place, files, plan.schema)


def _file(pipeline: Pipeline, sample: ObjectSample, path: Path) -> PlainFile:
    if sample.row_groups:
        return PlainFile(sample.row_groups, sample.name, PARQUET, most=_MOST_OF_ROW_GROUPS)
    known, content = plain_sample(pipeline, sample)
    path.write_bytes(content)
    return PlainFile(path, sample.name, known)


def _records(path: Path, most: int) -> list[dict[str, object]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line, parse_int=_integer) for line in islice(lines, most)]


def _integer(digits: str) -> int | str:
    """Python reads and writes no number of thousands of digits; a preview shows such a one as text."""
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _warnings(
    pipeline: Pipeline, samples: Sequence[ObjectSample], joined: Sequence[Sequence[ObjectSample]], schema: Schema
) -> list[str]:
    warnings = [
        f"only the first {'records' if sample.row_groups else 'bytes'} of {sample.name} were read"
        for sample in samples
        if not sample.is_whole
    ]
    if warnings and pipeline.needs_all_rows:
        warnings.append(
            "steps that need all records (sort, limit, deduplicate, aggregate) saw these alone; a job sees all"
        )
    warnings += [
        f"{join.place} saw only the first records of its source; a job sees all"
        for join, theirs in zip(pipeline.joins, joined, strict=True)
        if not all(sample.is_whole for sample in theirs)
    ]
    if not schema.columns:
        warnings.append("there are no records, so the columns that the pipeline names could not be checked")
    return warnings
