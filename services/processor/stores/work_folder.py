"""A piece of work's own folder on the local disk: nothing in it outlives the work, nothing older is ever read."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.processor.domain.formats import Encoding
from services.processor.domain.plans import PinnedObject, PinnedSource
from services.processor.domain.sources import SampleSource
from services.processor.engine.files import InputFile
from services.processor.stores.inputs import Inputs


@dataclass(frozen=True, slots=True)
class WorkFolder:
    path: Path
    inputs: Inputs

    async def fetch(self, inputs: Sequence[tuple[PinnedSource, Encoding]]) -> tuple[InputFile, ...]:
        """Their bytes as files, in order.

        Raises:
            SourceChanged, SourceMissing: the pinned bytes are not there any more.
            Unavailable: S3 does not answer.
        """
        files = []
        for place, (source, encoding) in enumerate(inputs):
            path = self.path / f"input-{place}"
            if isinstance(source, PinnedObject):
                await self.inputs.download(source, path)
            else:
                path.write_bytes(SampleSource(source.name).content())
            files.append(InputFile(path, source.name, encoding))
        return tuple(files)


@contextmanager
def work_folder(parent: str, inputs: Inputs) -> Iterator[WorkFolder]:
    with tempfile.TemporaryDirectory(dir=parent, prefix="mayfly-") as path:
        yield WorkFolder(Path(path), inputs)


def sha256_of(path: Path) -> str:
    """In hexadecimal. Blocks: for a thread."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
