"""A pipeline tried on the first records of its input. Nothing is left behind."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from services.processor.domain.formats import NDJSON, Encoding
from services.processor.domain.pipeline import Pipeline
from services.processor.domain.schema_of_records import Schema
from services.processor.engine.checking import CheckedPipeline, check
from services.processor.engine.files import PlainFile
from services.processor.engine.inputs import ObjectSample, plain_sample, plan_inputs
from services.processor.engine.running import OutputFile, run_plain
from services.processor.engine.session import EngineLimits, Stop, full_disk_named, open_session

_AS_LINES = Encoding(NDJSON, "none")


@dataclass(frozen=True, slots=True)
class Preview:
    """Records as JSON objects; schemas as `{name: type}`."""

    records_in: list[dict[str, object]]
    records_out: list[dict[str, object]]
    schema_in: dict[str, str]
    schema_out: dict[str, str]
    warnings: list[str]


_MOST_DIGITS = 1000


def preview(
    pipeline: Pipeline, samples: Sequence[ObjectSample], records: int, processed_at: str, limits: EngineLimits
) -> Preview:
    """The first so many records of the samples, and of what the pipeline makes of all that the samples hold.

    Raises PipelineError, RecordError and WorkFolderFull, as a run would.
    """
    schema = plan_inputs(pipeline, samples).schema
    checked = check(pipeline, schema)
    identity = CheckedPipeline(schema, (), schema, stamp=False)
    with full_disk_named(), open_session(limits, Stop()) as session:
        files = [_file(pipeline, sample, session.folder / f"sample-{i}") for i, sample in enumerate(samples)]
        before, after = session.folder / "before", session.folder / "after"
        session.may_read([*(file.path for file in files), before, after])
        run_plain(identity, files, OutputFile(before, _AS_LINES), processed_at=processed_at, session=session)
        run_plain(checked, files, OutputFile(after, _AS_LINES), processed_at=processed_at, session=session)
        return Preview(
            _records(before, records),
            _records(after, records),
            schema.to_json(),
            checked.output.to_json(),
            _warnings(pipeline, samples, schema),
        )


def _file(pipeline: Pipeline, sample: ObjectSample, path: Path) -> PlainFile:
    known, content = plain_sample(pipeline, sample)
    path.write_bytes(content)
    return PlainFile(path, sample.name, known)


def _records(path: Path, most: int) -> list[dict[str, object]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line, parse_int=_integer) for line in islice(lines, most)]


def _integer(digits: str) -> int | str:
    """Python reads and writes no number of thousands of digits; a preview shows such a one as text."""
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _warnings(pipeline: Pipeline, samples: Sequence[ObjectSample], schema: Schema) -> list[str]:
    warnings = [f"only the first bytes of {sample.name} were read" for sample in samples if not sample.is_whole]
    if warnings and pipeline.needs_all_rows:
        warnings.append(
            "steps that need all records (sort, limit, deduplicate, aggregate) saw these alone; a job sees all"
        )
    if not schema.columns:
        warnings.append("there are no records, so the columns that the pipeline names could not be checked")
    return warnings
