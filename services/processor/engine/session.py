"""One DuckDB for one run, in memory and behind walls: it reaches the files of its run and nothing else.

The first wall is that no SQL of a client ever gets here (see `domain.expression_sql`); this is the second.
"""

import errno
import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import duckdb

from services.processor.domain.excerpts import excerpt
from services.processor.domain.pipeline_errors import DeadlineExceeded, MemoryExceeded, RunCancelled, WorkFolderFull
from services.processor.domain.sql_text import quote_text

Row = tuple[object, ...]
_INTERRUPT_EVERY_SECONDS = 0.05
_DESCRIBER_BYTES = 256 << 20
_LONGEST_REASON = 300
_HINTS = re.compile(
    r"\n|\. You might need|\. In order to|\. Use TRY| in expression|, or SET | - an explicit| when casting from"
)


_OURS = re.compile(
    r"Could not convert string '(.* (?:has a fraction|is no number in JSON|would grow too long|"
    r"is too long|is too long for this regular expression); [^']*)' to \w+",
    re.DOTALL,
)
_IN_OUR_WORDS = [
    (_OURS, r"\1"),
    (re.compile(r"Could not convert string (['\"])(.*)\1 to (\w+)", re.DOTALL), r'"\2" is no \3'),
    (re.compile(r"Type VARCHAR with value '(.*)' can't be cast to the destination type", re.DOTALL), r'"\1" is no'),
    (
        re.compile(
            r'(?:invalid )?(\w+) field (?:format|value out of range): "(.*)", expected format is \(([^\n]*)\)',
            re.DOTALL,
        ),
        r'"\2" is no \1; write \3',
    ),
    (re.compile(r"Type \w+ with value (\S+) can't be cast because .* destination type"), r"\1 is out of the range of"),
    (re.compile(r'Casting value "(.*)" to type (\S+) failed: value is out of range'), r"\1 is out of the range of \2"),
    (re.compile(r"Unimplemented type for cast \((.*) -> (.*)\)"), r"\1 can't be cast to \2"),
    (re.compile(r"\bBOOL\b"), "BOOLEAN"),
]
_OUR_NAMES = {
    "INT128": "HUGEINT",
    "INT64": "BIGINT",
    "INT32": "INTEGER",
    "INT16": "SMALLINT",
    "INT8": "TINYINT",
    "INTEGER_LITERAL": "number",
    "STRING_LITERAL": "text",
}


def engine_version() -> str:
    """What wrote a result: part of a plan and of a manifest, since bytes may differ between versions."""
    return f"duckdb {duckdb.__version__}"


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """What one run may use. Beyond its memory the engine spills to a folder of its own below `temp_dir`."""

    memory_bytes: int
    threads: int
    deadline_seconds: float
    temp_dir: Path
    max_plain_bytes: int
    """What the objects of one run may have together once they are unpacked."""


@contextmanager
def full_disk_named() -> Iterator[None]:
    """Raises WorkFolderFull for a write that found no room."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise WorkFolderFull from None
        raise


class Stop:
    """Ends a run from another thread."""

    def __init__(self) -> None:
        self._reason: Literal["cancelled", "deadline"] | None = None
        self._wake = threading.Event()

    def cancel(self) -> None:
        """The run, or the next one, raises RunCancelled within about a tenth of a second."""
        self._reason = self._reason or "cancelled"
        self._wake.set()

    def check(self) -> None:
        """Raises RunCancelled or DeadlineExceeded when the run has to end."""
        if self._reason == "cancelled":
            raise RunCancelled("the run was cancelled")
        if self._reason == "deadline":
            raise DeadlineExceeded("the run reached its time limit; split the input, or simplify the pipeline")

    @contextmanager
    def watching(self, connection: duckdb.DuckDBPyConnection, deadline_seconds: float) -> Iterator[None]:
        """Interrupts the connection when the run has to end; one run at a time."""
        ended = threading.Event()
        if self._reason is None:
            self._wake.clear()

        def watch() -> None:
            if not self._wake.wait(deadline_seconds):
                self._reason = self._reason or "deadline"
            while not ended.wait(
                _INTERRUPT_EVERY_SECONDS
            ):  # again and again: one that comes between statements is lost
                connection.interrupt()

        watcher = threading.Thread(target=watch, name="engine-deadline", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            self._wake.set()
            watcher.join()


@dataclass(frozen=True, slots=True)
class Session:
    """Statements of one run. A `duckdb.Error` that leaves `rows` is about the data or the pipeline."""

    stop: Stop
    folder: Path
    """For files of this run; gone with it."""
    _connection: duckdb.DuckDBPyConnection

    @property
    def scratch(self) -> Path:
        """A folder below it for files that statements read, and that come and go while it runs."""
        return self.folder / "scratch"

    def rows(self, sql: str) -> list[Row]:
        self.stop.check()
        try:
            return self._connection.execute(sql).fetchall()
        except duckdb.InterruptException:
            self.stop.check()
            raise
        except duckdb.OutOfMemoryException:
            raise MemoryExceeded(
                "this needs more memory than a run may use; filter earlier, drop wide columns, or split the input"
            ) from None
        except duckdb.IOException as error:
            if os.strerror(errno.ENOSPC) in str(error):
                raise WorkFolderFull from None
            raise

    def columns(self, sql: str) -> list[tuple[str, str]]:
        """Names and types of a query's result, without running it."""
        return [(str(row[0]), str(row[1])) for row in self.rows(f"DESCRIBE {sql}")]

    def may_read(self, paths: Sequence[Path], *, with_scratch: bool = False) -> None:
        """The last change of settings: these files, maybe those in the scratch folder, and no more after them."""
        if with_scratch:
            self.scratch.mkdir()
            self._connection.execute(f"SET allowed_directories = [{quote_text(str(self.scratch))}]")
        allowed = ", ".join(quote_text(str(path)) for path in paths)
        self._connection.execute(f"SET allowed_paths = [{allowed}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")


@contextmanager
def open_session(limits: EngineLimits, stop: Stop) -> Iterator[Session]:
    """Call `may_read` on it before anything else."""
    limits.temp_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=limits.temp_dir, prefix="run-") as folder:
        connection = _connect(limits.memory_bytes, limits.threads, folder)
        try:
            with stop.watching(connection, limits.deadline_seconds):
                yield Session(stop, Path(folder), connection)
        finally:
            connection.close()


@contextmanager
def open_describer(paths: Sequence[Path] = ()) -> Iterator[Session]:
    """A session that reads these files alone and writes nothing: it answers what type something has."""
    connection = _connect(_DESCRIBER_BYTES, 1, "")
    try:
        session = Session(Stop(), Path(), connection)
        session.may_read(paths)
        yield session
    finally:
        connection.close()


def _connect(memory_bytes: int, threads: int, folder: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{memory_bytes}B",
            "threads": threads,
            "temp_directory": folder,
            "pin_threads": "off",  # several engines share one process
            "preserve_insertion_order": True,
            # It makes "the first of each" an aggregate of whole records: no disk helps that, and -0.0 becomes 0.0.
            "disabled_optimizers": "top_n_window_elimination",
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "allow_community_extensions": False,
            "allow_persistent_secrets": False,
            "python_enable_replacements": False,  # a table named like one of our variables is no table
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def plain_words(error: duckdb.Error) -> str:
    """The engine's reason without its class, its hints, and the SQL that it quotes."""
    text = str(error).split("Error: ", 1)[-1]
    for pattern, words in _IN_OUR_WORDS:
        text = pattern.sub(words, text)
    for theirs, ours in _OUR_NAMES.items():
        text = text.replace(theirs, ours)
    return excerpt(_HINTS.split(text, maxsplit=1)[0].strip().rstrip(".:!"), _LONGEST_REASON)
