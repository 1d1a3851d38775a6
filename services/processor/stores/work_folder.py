"""Folders on the local disk: one for the process, one in it for each piece of work. Nothing older is ever read."""

import contextlib
import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.processor.domain.input_errors import of_join
from services.processor.domain.pinned_sources import PartInput, PinnedObject
from services.processor.domain.pipeline import Pipeline
from services.processor.domain.plans import Plan
from services.processor.domain.sources import SampleSource
from services.processor.engine.files import InputFile
from services.processor.engine.session import full_disk_named
from services.processor.stores.inputs import Inputs
from shared import clock

_PREFIX = "mayfly-work-"
_LOCK = "lock"
_NEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class WorkFolder:
    path: Path
    inputs: Inputs

    async def fetch_joined(self, pipeline: Pipeline, plan: Plan) -> list[tuple[InputFile, ...]]:
        """What the joins of a pipeline read. Raises as `fetch` does, and names the join."""
        files = []
        for number, (join, joined) in enumerate(zip(pipeline.joins, plan.joined, strict=True)):
            with of_join(join.place):
                files.append(await self.fetch(joined.inputs, f"joined-{number}"))
        return files

    async def fetch(self, inputs: Sequence[PartInput], name: str = "input") -> tuple[InputFile, ...]:
        """Their bytes as files, in order.

        Raises:
            SourceChanged, SourceMissing: the pinned bytes are not there any more.
            Unavailable: S3 does not answer.
            WorkFolderFull: there is no room for them.
        """
        files = []
        for place, one in enumerate(inputs):
            path = self.path / f"{name}-{place}"
            with full_disk_named():
                if isinstance(one.source, PinnedObject):
                    await self.inputs.download(one.source, one.slice, path)
                else:
                    path.write_bytes(SampleSource(one.source.name).content())
            files.append(InputFile(path, one.source.name, one.encoding, one.slice.start, one.slice.head))
        return tuple(files)


@contextmanager
def work_folder(parent: Path, inputs: Inputs) -> Iterator[WorkFolder]:
    """A folder that is gone with the work."""
    with tempfile.TemporaryDirectory(dir=parent, prefix="part-") as path:
        yield WorkFolder(Path(path), inputs)


@contextmanager
def process_folder(parent: str) -> Iterator[Path]:
    """This process's own folder, gone with it. Those of processes that were killed are removed: their lock is free."""
    for old in Path(parent).glob(f"{_PREFIX}*"):
        _remove_if_abandoned(old)
    folder = tempfile.TemporaryDirectory(dir=parent, prefix=_PREFIX, ignore_cleanup_errors=True)
    with folder as ours, (Path(ours) / _LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(ours)


def _remove_if_abandoned(path: Path) -> None:
    with contextlib.suppress(OSError):
        if clock.now() - path.stat().st_mtime < _NEW_SECONDS:
            return  # it may just be about to be locked
        with (path / _LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)


def sha256_of(path: Path) -> str:
    """In hexadecimal. Blocks: for a thread."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
