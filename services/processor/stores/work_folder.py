"""Folders on the local disk: one for the process, one in it for each piece of work. Nothing older is ever read."""

import asyncio
import contextlib
import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

from services.processor.domain.cuts import slices_of_parquet
from services.processor.domain.formats import ROWS
from services.processor.domain.input_errors import SourceChanged, SourceMissing, of_join
from services.processor.domain.parquet_footers import narrowed
from services.processor.domain.pinned_sources import PartInput, PinnedObject, Slice, whole
from services.processor.domain.pipeline import Pipeline
from services.processor.domain.pipeline_errors import RecordError
from services.processor.domain.plans import Plan
from services.processor.domain.sources import SampleSource
from services.processor.domain.work_errors import FirstStageGone
from services.processor.engine.files import InputFile
from services.processor.engine.session import full_disk_named
from services.processor.stores.inputs import Inputs
from services.processor.stores.source_finder import Found
from shared import clock

_PREFIX = "mayfly-work-"
_LOCK = "lock"
_NEW_SECONDS = 60
_LARGEST_BEGINNING_BYTES = 128 << 20
_REMEDY = 'submit a job with the step {"limit": 100}'


@dataclass(frozen=True, slots=True)
class PartFiles:
    """What a part reads. `joined` are for each join of the pipeline, none for one of another stage."""

    files: Sequence[InputFile]
    joined: Sequence[Sequence[InputFile]]
    bytes_in: int
    bytes_joined: int


@dataclass(frozen=True, slots=True)
class WorkFolder:
    path: Path
    inputs: Inputs

    async def fetch(self, pipeline: Pipeline, plan: Plan, part: int, first_stage: Sequence[PinnedObject]) -> PartFiles:
        """All that a part reads, as files; a part of a second stage what the first has stored.

        Raises:
            SourceChanged, SourceMissing, FirstStageGone: the pinned bytes are not there any more.
            Unavailable: S3 does not answer.
            WorkFolderFull: there is no room for them.
        """
        stage = plan.stage_of(part)
        inputs = _stored(first_stage) if stage.kind == "second" else plan.inputs_of(part)
        with _own_named() if stage.kind == "second" else nullcontext():
            files = await self._fetch(inputs, "input")
        needed, joined = pipeline.joins_in(stage), []
        theirs = [one.inputs if used else () for one, used in zip(plan.joined, needed, strict=True)]
        for number, (join, one) in enumerate(zip(pipeline.joins, theirs, strict=True)):
            with of_join(join.place):
                joined.append(await self._fetch(one, f"joined-{number}"))
        return PartFiles(files, joined, _bytes_of(inputs), sum(map(_bytes_of, theirs)))

    async def _fetch(self, inputs: Sequence[PartInput], name: str) -> tuple[InputFile, ...]:
        files = []
        for place, one in enumerate(inputs):
            path = self.path / f"{name}-{place}"
            with full_disk_named():
                if isinstance(one.source, PinnedObject):
                    await self._download(one.source, one.slice, path)
                else:
                    path.write_bytes(SampleSource(one.source.name).content())
            start, head, before = one.slice.counted_from, one.slice.head, one.slice.before
            files.append(InputFile(path, one.source.name, one.encoding, start, head, before))
        return tuple(files)

    async def _download(self, source: PinnedObject, piece: Slice, path: Path) -> None:
        """A piece of a Parquet gets a footer of its own, so that it is a file of its row groups and no others."""
        await self.inputs.download(source, piece, path)
        if piece.tail:
            ending = await self.inputs.read(source, source.size - piece.tail, source.size)
            own = await asyncio.to_thread(narrowed, ending, piece.start, piece.end, source.name)
            with path.open("ab") as file:
                file.write(own)

    async def first_row_groups(self, found: Found, most_bytes: int) -> dict[str, Path]:
        """By the names of the Parquet objects that were looked into but are larger: files of their first row groups.

        As many groups as have at most so many bytes, and at least one.

        Raises:
            RecordError: a footer is wrong, or the first row group too large for this.
            SourceChanged, SourceMissing, Unavailable, WorkFolderFull: as for `fetch`.
        """
        files: dict[str, Path] = {}
        for source, ending in zip(found.sources, found.endings, strict=True):
            if ending and isinstance(source, PinnedObject):
                [first, *_] = await asyncio.to_thread(slices_of_parquet, 0, source, ending, most_bytes)
                if first.size > _LARGEST_BEGINNING_BYTES:
                    message = f"its first row group takes {first.size >> 20:,} MiB, too large for a preview"
                    raise RecordError(message, object_name=source.name, remedy=_REMEDY)
                path = self.path / hashlib.sha256(source.name.encode()).hexdigest()
                with full_disk_named():
                    await self._download(source, first, path)
                files[source.name] = path
        return files


def _bytes_of(inputs: Sequence[PartInput]) -> int:
    return sum(one.slice.size for one in inputs)


def _stored(first_stage: Sequence[PinnedObject]) -> list[PartInput]:
    return list(map(PartInput, first_stage, repeat(ROWS), whole(first_stage)))


@contextmanager
def _own_named() -> Iterator[None]:
    """What is missing is nothing that a client has put there."""
    try:
        yield
    except (SourceMissing, SourceChanged) as error:
        raise FirstStageGone(str(error.extensions["object"])) from None


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
