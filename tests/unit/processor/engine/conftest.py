"""The engine as its callers use it: an object's bytes and a config in, the result's bytes or an error out."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.processor.domain.formats import ROWS, compression_of
from services.processor.domain.packing import Unpacking
from services.processor.domain.pipeline import Pipeline, parse_config
from services.processor.domain.splits import split_folder
from services.processor.domain.stages import Stage
from services.processor.engine.checking import check
from services.processor.engine.files import InputFile, Origin
from services.processor.engine.inputs import SAMPLE_BYTES, InputPlan, ObjectSample, plan_inputs, plan_joins
from services.processor.engine.running import BadRecords, JoinedFiles, RunResult, run
from services.processor.engine.session import EngineLimits, Stop
from services.processor.engine.writing import OutputFile

MIB = 1 << 20


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@dataclass(frozen=True)
class Done:
    content: bytes
    result: RunResult
    schema: dict[str, str]
    rejected: bytes = b""
    splits: Mapping[str, bytes] = field(default_factory=dict)
    """The files of a result that is split, by their folders, in the order in which they were made."""

    @property
    def rejects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.rejected.splitlines()]

    @property
    def text(self) -> str:
        return b"".join(Unpacking(compression_of("", self.content)).feed(self.content)).decode()


@dataclass(frozen=True)
class Engine:
    folder: Path
    memory_bytes: int = 400 * MIB
    threads: int = 2
    deadline_seconds: float = 60
    max_plain_bytes: int = 100 * MIB
    sample_bytes: int = SAMPLE_BYTES
    stop: Stop = field(default_factory=Stop)

    @property
    def limits(self) -> EngineLimits:
        work = self.folder / "work"
        return EngineLimits(self.memory_bytes, self.threads, self.deadline_seconds, work, self.max_plain_bytes)

    def run(
        self,
        objects: Mapping[str, str | bytes],
        config: object = None,
        output_path: Path | None = None,
        joined: Sequence[Mapping[str, str | bytes]] = (),
        *,
        staged: bool = False,
    ) -> Done:
        """`staged`: in two stages, each object a part of the first."""
        pipeline = parse_config({"stamp": False} if config is None else config)
        contents = _contents(objects)
        plan = plan_inputs(pipeline, self._samples(contents))
        files = self._files(contents, plan, "input")
        others = [_contents(one) for one in joined]
        plans = plan_joins(pipeline, [self._samples(one) for one in others])
        theirs = [
            JoinedFiles(join.place, self._files(one, read, f"joined-{join.place}"), read.schema)
            for join, one, read in zip(pipeline.joins, others, plans, strict=True)
        ]
        names = pipeline.output.partition_by
        output = OutputFile(output_path or self.folder / "output", plan.output, bool(names))
        rejected = self.folder / "rejected"
        rejected.unlink(missing_ok=True)
        checked = check(pipeline.knowing([one.schema for one in theirs]), plan.schema)
        settled = partial(run, pipeline, plan.schema, joined=theirs, processed_at="NOW", limits=self.limits)
        runs = partial(settled, bad=BadRecords.of(pipeline, rejected), stop=self.stop)
        result = self._staged(runs, pipeline, files, output) if staged else runs(files=files, output=output)
        kept = rejected.read_bytes() if rejected.exists() else b""
        splits = {split_folder(names, one.values): one.path.read_bytes() for one in result.splits}
        content = b"" if names else output.path.read_bytes()
        return Done(content, result, checked.output.to_json(), kept, splits)

    def _staged(
        self, runs: Callable[..., RunResult], pipeline: Pipeline, files: Sequence[InputFile], output: OutputFile
    ) -> RunResult:
        rows = []
        for i, file in enumerate(files):
            kept = OutputFile(self.folder / f"rows-{i}", output.encoding)
            runs(files=[file], output=kept, stage=Stage("first", pipeline.row_steps, i))
            rows.append(InputFile(kept.path, f"rows-{i}", ROWS))
        origins = [Origin(file.name, file.start) for file in files]
        return runs(files=rows, output=output, stage=Stage("second", pipeline.row_steps), origins=origins)

    def _samples(self, contents: Mapping[str, bytes]) -> list[ObjectSample]:
        most = self.sample_bytes
        return [ObjectSample(name, one[:most], len(one) <= most, one[-2048:]) for name, one in contents.items()]

    def _files(self, contents: Mapping[str, bytes], plan: InputPlan, kind: str) -> list[InputFile]:
        files: list[InputFile] = []
        for (name, content), encoding in zip(contents.items(), plan.encodings, strict=True):
            path = self.folder / f"{kind}-{len(files)}"
            path.write_bytes(content)
            files.append(InputFile(path, name, encoding))
        return files


def _contents(objects: Mapping[str, str | bytes]) -> dict[str, bytes]:
    return {name: as_bytes(content) for name, content in objects.items()}


@pytest.fixture
def new_engine(tmp_path: Path) -> Callable[..., Engine]:
    def new(**limits: object) -> Engine:
        return Engine(tmp_path, **limits)  # type: ignore[arg-type]  # a test's own numbers

    return new


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)
