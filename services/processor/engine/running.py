"""Files in, one file out: the work of one partition."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import duckdb

from services.processor.domain.formats import Encoding
from services.processor.domain.input_errors import of_join
from services.processor.domain.pipeline import Pipeline
from services.processor.domain.pipeline_errors import CONFIG, MemoryExceeded, PipelineError, Place, RecordError
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.sql_text import quote_name, quote_text, select
from services.processor.engine.blaming import FailedRun
from services.processor.engine.checking import CheckedPipeline, check_in
from services.processor.engine.files import InputFile, PlainFile, plain_files
from services.processor.engine.formats.record_format import RecordFormat, Scan
from services.processor.engine.formats.registry import record_format
from services.processor.engine.queries import Hidden, after_steps, hidden_if_used, output_rows, source
from services.processor.engine.session import EngineLimits, Session, Stop, full_disk_named, open_session
from services.processor.engine.verifying import count_records


@dataclass(frozen=True, slots=True)
class OutputFile:
    """Where the result goes; a file that is there already is replaced."""

    path: Path
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class JoinedFiles:
    """What the join that stands at `place` reads, and as which columns."""

    place: Place
    files: Sequence[InputFile]
    schema: Schema


@dataclass(frozen=True, slots=True)
class PlainJoined:
    """The same, unpacked."""

    place: Place
    files: Sequence[PlainFile]
    schema: Schema


@dataclass(frozen=True, slots=True)
class RunResult:
    records_in: int
    records_out: int
    rejected: int


def run(
    pipeline: Pipeline,
    schema: Schema,
    files: Sequence[InputFile],
    output: OutputFile,
    *,
    processed_at: str,
    limits: EngineLimits,
    joined: Sequence[JoinedFiles] = (),
    stop: Stop | None = None,
) -> RunResult:
    """Runs in the calling thread until it is done; `stop` ends it from another.

    The same files, pipeline, schema, `processed_at` and engine version give the same bytes, whatever the number of
    threads. Raises PipelineError, RecordError, MemoryExceeded, DeadlineExceeded, WorkFolderFull, RunCancelled; then
    there may be half of an output.
    """
    known = pipeline.knowing([one.schema for one in joined])
    work = partial(_run, known, schema, files, output, joined=joined, processed_at=processed_at, stop=stop or Stop())
    if record_format(output.encoding.format).needs_one_thread:
        limits = replace(limits, threads=1)
    with full_disk_named():
        try:
            return work(limits=limits, sparing=False)
        except MemoryExceeded:
            if not (pipeline.needs_all_rows or joined):
                raise
            # Each thread that sorts has to hold blocks of its own, and so has each step: one thread and one step at a
            # time can leave most of them on the disk.
            return work(limits=replace(limits, threads=1), sparing=True)


def _run(
    pipeline: Pipeline,
    schema: Schema,
    files: Sequence[InputFile],
    output: OutputFile,
    *,
    joined: Sequence[JoinedFiles],
    processed_at: str,
    limits: EngineLimits,
    stop: Stop,
    sparing: bool,
) -> RunResult:
    with open_session(limits, stop) as session:
        packed = [*files, *(file for one in joined for file in one.files)]
        plain = plain_files(packed, session, max_bytes=limits.max_plain_bytes)
        session.may_read([*(file.path for file in plain), output.path])
        checked = check_in(session, pipeline, schema)
        rest = iter(plain[len(files) :])
        theirs = [PlainJoined(one.place, tuple(islice(rest, len(one.files))), one.schema) for one in joined]
        with _counted_from({file.name: file.start for file in files}):
            return run_plain(
                checked,
                plain[: len(files)],
                output,
                joined=theirs,
                processed_at=processed_at,
                session=session,
                sparing=sparing,
            )


@contextmanager
def _counted_from(starts: Mapping[str, int]) -> Iterator[None]:
    """An error about a record of an object that was not read from its beginning says so."""
    try:
        yield
    except RecordError as error:
        start = starts.get(error.object_name, 0)
        raise (error.behind(start) if start else error) from None


def run_plain(
    checked: CheckedPipeline,
    files: Sequence[PlainFile],
    output: OutputFile,
    *,
    joined: Sequence[PlainJoined] = (),
    processed_at: str,
    session: Session,
    sparing: bool = False,
) -> RunResult:
    """The same for files that need no unpacking, in a session that may read them and write the output.

    `sparing`: slower, for what else needs more memory than there is.
    """
    others = [_records_of(one, session) for one in joined]
    scans = [record_format(file.format).scan(file, checked.input) for file in files]
    records_in = count_records(files, scans, checked.input, session)
    if records_in and not checked.input.columns:
        raise RecordError("no record has any key", object_name=files[0].name)
    work = _Work(checked, files, scans, others, output, processed_at, sparing)
    records_out = work.write(session) if records_in or checked.makes_a_record else 0
    if not records_out:
        _write_nothing(checked.output, output, session)
    return RunResult(records_in, records_out, 0)


def _records_of(joined: PlainJoined, session: Session) -> str:
    """All records of the source, each of which fits its columns."""
    scans = [record_format(file.format).scan(file, joined.schema) for file in joined.files]
    with of_join(joined.place):
        count_records(joined.files, scans, joined.schema, session)
    return source(scans, None)


def _write_nothing(schema: Schema, output: OutputFile, session: Session) -> None:
    writer = record_format(output.encoding.format)
    nothing = writer.empty(schema)
    if nothing is not None:
        output.path.write_bytes(gzip.compress(nothing, mtime=0) if output.encoding.compression == "gzip" else nothing)
        return
    if not schema.columns:
        message = f"there are no records, so no columns, and a file of {output.encoding.format.name} has at least one"
        raise PipelineError(CONFIG.at("output", "format"), f"{message}; say config.input.schema, or another format")
    nulls = ", ".join(f"CAST(NULL AS {column.type}) AS {quote_name(column.name)}" for column in schema)
    cells = ", ".join(f"{writer.cell(column)} AS {quote_name(column.name)}" for column in schema)
    _copy(select(cells, f"(SELECT {nulls})", "WHERE FALSE"), writer, output, session)


def _copy(query: str, writer: RecordFormat, output: OutputFile, session: Session) -> int:
    """How many records were written."""
    options = f"{writer.copy_options(output.encoding.compression)}, USE_TMP_FILE false"
    [(written,)] = session.rows(f"COPY ({query}) TO {quote_text(str(output.path))} ({options})")
    return int(str(written))


@dataclass(frozen=True, slots=True)
class _Work:
    checked: CheckedPipeline
    files: Sequence[PlainFile]
    scans: Sequence[Scan]
    joined: Sequence[str]
    output: OutputFile
    processed_at: str
    sparing: bool

    def write(self, session: Session) -> int:
        """How many records were written."""
        writer = record_format(self.output.encoding.format)
        hidden = hidden_if_used(self.checked)
        try:
            done, rows = self._kept_between(session, hidden) if self.sparing else (0, source(self.scans, hidden))
            rows = after_steps(self.checked, rows, len(self.checked.steps), hidden, self.joined, done=done)
            query = output_rows(self.checked, rows, writer, self.processed_at)
            return _copy(query, writer, self.output, session)
        except duckdb.Error as error:
            raise FailedRun(self.checked, self.files, self.scans, self.joined, writer, session, error).blame() from None

    def _kept_between(self, session: Session, hidden: Hidden | None) -> tuple[int, str]:
        """Does all steps up to the last that sorts or groups, and keeps what each gives: so many, and the records."""
        done, rows = 0, source(self.scans, hidden)
        sorting = [i for i, step in enumerate(self.checked.steps) if step.sql.sorts]
        for step in sorting[:-1]:
            made = after_steps(self.checked, rows, step + 1, hidden, self.joined, done=done)
            session.rows(f"CREATE TEMP TABLE after_{step} AS {made}")
            if done:
                session.rows(f"DROP TABLE after_{done - 1}")
            done, rows = step + 1, select("*", f"after_{step}")
        return done, rows
