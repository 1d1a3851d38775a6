"""One local run at a time in one folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderTaken(RuntimeError):  # noqa: N818 - errors state the fact
    """Another run uses the folder; the message names its process."""


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Makes the folder and holds it. The system lets go of it when this process ends, however that happens."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise FolderTaken(
                f"another `make run` (process {lock.read().strip()}) uses {folder}/: end it with Ctrl-C first, "
                "or set MAYFLY_LOCAL_FOLDER and other ports"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
