"""The engine as its callers use it: an object's bytes and a config in, the result's bytes or an error out."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.processor.domain.pipeline import parse_config
from services.processor.engine.checking import check
from services.processor.engine.files import InputFile
from services.processor.engine.inputs import SAMPLE_BYTES, ObjectSample, plan_inputs
from services.processor.engine.running import OutputFile, RunResult, run
from services.processor.engine.session import EngineLimits, Stop

MIB = 1 << 20


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@dataclass(frozen=True)
class Done:
    content: bytes
    result: RunResult
    schema: dict[str, str]

    @property
    def text(self) -> str:
        plain = gzip.decompress(self.content) if self.content.startswith(b"\x1f\x8b") else self.content
        return plain.decode()


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

    def run(self, objects: Mapping[str, str | bytes], config: object = None, output_path: Path | None = None) -> Done:
        pipeline = parse_config({"stamp": False} if config is None else config)
        contents = {name: as_bytes(content) for name, content in objects.items()}
        samples = [
            ObjectSample(name, content[: self.sample_bytes], is_whole=len(content) <= self.sample_bytes)
            for name, content in contents.items()
        ]
        plan = plan_inputs(pipeline, samples)
        files = [
            InputFile(self._stored(i, content), name, encoding)
            for i, ((name, content), encoding) in enumerate(zip(contents.items(), plan.encodings, strict=True))
        ]
        output = OutputFile(output_path or self.folder / "output", plan.output)
        checked = check(pipeline, plan.schema)
        result = run(pipeline, plan.schema, files, output, processed_at="NOW", limits=self.limits, stop=self.stop)
        return Done(output.path.read_bytes(), result, checked.output.to_json())

    def _stored(self, number: int, content: bytes) -> Path:
        path = self.folder / f"input-{number}"
        path.write_bytes(content)
        return path


@pytest.fixture
def new_engine(tmp_path: Path) -> Callable[..., Engine]:
    def new(**limits: object) -> Engine:
        return Engine(tmp_path, **limits)  # type: ignore[arg-type]  # a test's own numbers

    return new


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)
