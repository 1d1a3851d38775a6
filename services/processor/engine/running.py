"""Files in, one file out, or several beside it where the result is split: the work of one part."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from services.processor.domain.input_errors import of_join
from services.processor.domain.pipeline import Pipeline
from services.processor.domain.pipeline_errors import MemoryExceeded, Place, RecordError
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.sql_text import select
from services.processor.domain.stages import ONLY, Stage
from services.processor.engine.beginnings import Beginning, of_files, of_rows
from services.processor.engine.checking import CheckedPipeline, check_in
from services.processor.engine.files import InputFile, Origin, PlainFile, plain_files
from services.processor.engine.formats.registry import record_format
from services.processor.engine.queries import source
from services.processor.engine.session import EngineLimits, Session, Stop, full_disk_named, open_session
from services.processor.engine.sifting import Sieve
from services.processor.engine.splitting import SplitFile
from services.processor.engine.verifying import count_records
from services.processor.engine.writing import OutputFile, RunFailed, Work, Written


@dataclass(frozen=True, slots=True)
class BadRecords:
    """They are left out rather than end the run; `path` is where they go, if they are kept."""

    path: Path | None

    @staticmethod
    def of(pipeline: Pipeline, path: Path) -> "BadRecords | None":
        """As the pipeline says. None: the first one ends the run."""
        if not pipeline.leaves_out_bad_records:
            return None
        return BadRecords(path if pipeline.on_bad_record == "quarantine" else None)


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
    splits: tuple[SplitFile, ...] = ()
    """The files beside the output, which is none, where the result is split."""


def run(
    pipeline: Pipeline,
    schema: Schema,
    files: Sequence[InputFile],
    output: OutputFile,
    *,
    processed_at: str,
    limits: EngineLimits,
    joined: Sequence[JoinedFiles] = (),
    bad: BadRecords | None = None,
    stage: Stage = ONLY,
    origins: Sequence[Origin] = (),
    stop: Stop | None = None,
) -> RunResult:
    """Runs in the calling thread until it is done; `stop` ends it from another.

    The files of a second stage are those that the first has made, all in order, and `origins` the slices of the input
    that they come from. The same files, pipeline, schema, `processed_at` and engine version give the same bytes,
    whatever the number of threads, and the same result in one stage and in two. Raises PipelineError, RecordError,
    MemoryExceeded, DeadlineExceeded, WorkFolderFull, RunCancelled; then there may be half of an output.
    """
    known = pipeline.knowing([one.schema for one in joined])
    settled = partial(_run, known, schema, files, output, joined=joined, bad=bad, processed_at=processed_at)
    work = partial(settled, stage=stage, origins=origins, stop=stop or Stop())
    if stage.kind == "first" or record_format(output.encoding.format).needs_one_thread:
        limits = replace(limits, threads=1)
    with full_disk_named():
        try:
            return work(limits=limits, sparing=False)
        except MemoryExceeded:
            if not (pipeline.needs_all_rows or joined or pipeline.output.partition_by):
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
    bad: BadRecords | None,
    stage: Stage,
    origins: Sequence[Origin],
    processed_at: str,
    limits: EngineLimits,
    stop: Stop,
    sparing: bool,
) -> RunResult:
    with open_session(limits, stop) as session:
        packed = [*files, *(file for one in joined for file in one.files)]
        plain = plain_files(packed, session, max_bytes=limits.max_plain_bytes)
        session.may_read([*(file.path for file in plain), output.path], with_scratch=True)
        checked = check_in(session, pipeline, schema)
        rest = iter(plain[len(files) :])
        theirs = [PlainJoined(one.place, tuple(islice(rest, len(one.files))), one.schema) for one in joined]
        with _counted_from({file.name: file for file in files}):
            return run_plain(
                checked,
                plain[: len(files)],
                output,
                joined=theirs,
                bad=bad,
                stage=stage,
                origins=origins,
                processed_at=processed_at,
                session=session,
                sparing=sparing,
            )


@contextmanager
def _counted_from(files: Mapping[str, InputFile]) -> Iterator[None]:
    """An error about a record of an object that was not read from its beginning says so, or counts what is before."""
    try:
        yield
    except RecordError as error:
        file = files.get(error.object_name)
        raise (error.behind(file.start, file.before) if file else error) from None


def run_plain(
    checked: CheckedPipeline,
    files: Sequence[PlainFile],
    output: OutputFile,
    *,
    joined: Sequence[PlainJoined] = (),
    bad: BadRecords | None = None,
    stage: Stage = ONLY,
    origins: Sequence[Origin] = (),
    processed_at: str,
    session: Session,
    sparing: bool = False,
) -> RunResult:
    """The same for files that need no unpacking, in a session that may read them and write the output.

    `sparing`: slower, for what else needs more memory than there is.
    """
    work = Work(checked, stage, [_records_of(one, session) for one in joined], output, processed_at, sparing)
    if stage.kind == "second":
        beginning = of_rows([file.path for file in files], checked.steps[stage.begin].before, origins)
        [(kept,)] = session.rows(select("count(*)", f"({beginning.rows(None)})"))
        records = int(str(kept))
    elif bad is not None:
        return _without_bad_records(work, files, bad, session)
    else:
        beginning = of_files(files, checked.input)
        records = count_records(files, beginning.scans, checked.input, session)
    try:
        written = work.write(beginning, records, session)
        return RunResult(records, written.records, 0, written.splits)
    except RunFailed as failure:
        raise failure.run.blame() from None


def _without_bad_records(work: Work, files: Sequence[PlainFile], bad: BadRecords, session: Session) -> RunResult:
    sieve = Sieve(files, work.checked.input, session)
    try:
        records = sieve.count() + sieve.rejected
        written = _written_of_good(work, sieve, records, session)
    except RecordError as error:
        raise sieve.as_it_came(error) from None
    if bad.path is not None and sieve.rejected:
        sieve.write_rejects(bad.path)
    return RunResult(records, written.records, sieve.rejected, written.splits)


def _written_of_good(work: Work, sieve: Sieve, records: int, session: Session) -> Written:
    """Each failure takes all records out that one expression fails for, so there are no more than expressions."""
    while True:
        try:
            return work.write(_good(work, sieve), records - sieve.rejected, session)
        except RunFailed as failure:
            if not sieve.leave_out(failure.run):
                raise failure.run.blame() from None


def _good(work: Work, sieve: Sieve) -> Beginning:
    return of_files(sieve.files, work.checked.input, sieve.as_they_came if sieve.rejected else None)


def _records_of(joined: PlainJoined, session: Session) -> str:
    """All records of the source, each of which fits its columns."""
    scans = [record_format(file.format).scan(file, joined.schema) for file in joined.files]
    with of_join(joined.place):
        count_records(joined.files, scans, joined.schema, session)
    return source(scans, None)
