"""What a run makes of its records: the result in its format or, in a first stage, rows for the second."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from services.processor.domain.formats import Encoding
from services.processor.domain.packing import packed
from services.processor.domain.pipeline_errors import CONFIG, PipelineError, RecordError
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.sql_text import quote_name, quote_text, select
from services.processor.domain.stages import Stage
from services.processor.engine.beginnings import Beginning
from services.processor.engine.blaming import FailedRun
from services.processor.engine.checking import CheckedPipeline
from services.processor.engine.formats.record_format import RecordFormat
from services.processor.engine.formats.registry import record_format
from services.processor.engine.queries import (
    Hidden,
    after_steps,
    hidden_for,
    hidden_if_used,
    output_rows,
    rows_to_split,
)
from services.processor.engine.rows import COPY_OPTIONS, kept_rows, steps_ahead
from services.processor.engine.session import Session
from services.processor.engine.splitting import SplitFile, Splitting


@dataclass(frozen=True, slots=True)
class OutputFile:
    """Where the result goes, or beside which, if it `is_split`; a file that is there already is replaced.

    `encoding` is that of a result.
    """

    path: Path
    encoding: Encoding
    is_split: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """How many records; and the files, if it is not the output alone."""

    records: int
    splits: tuple[SplitFile, ...] = ()


class RunFailed(Exception):  # noqa: N818 - it states the fact
    """For a record, or for the pipeline: `run` finds out."""

    def __init__(self, run: FailedRun) -> None:
        super().__init__("the run failed")
        self.run = run


@dataclass(frozen=True, slots=True)
class Work:
    """The steps of a stage, from its first records to its file. `sparing`: slower, for what needs too much memory."""

    checked: CheckedPipeline
    stage: Stage
    joined: Sequence[str]
    output: OutputFile
    processed_at: str
    sparing: bool

    def write(self, beginning: Beginning, records: int, session: Session) -> Written:
        """What becomes of so many records with which it begins, which all fit. Raises RunFailed."""
        if records and not self.checked.input.columns:
            raise RecordError("no record has any key", object_name=beginning.origins[0].name)
        makes_a_record = self.stage.kind != "first" and self.checked.makes_a_record
        written = self._write(beginning, session) if records or makes_a_record else Written(0)
        if not written.records and not self.output.is_split:
            self._write_nothing(session)
        return written

    @property
    def _steps(self) -> range:
        steps = self.checked.steps
        if self.stage.kind != "first":
            return range(self.stage.begin, len(steps))
        return range(self.stage.row_steps + steps_ahead(steps[self.stage.row_steps :]))

    @property
    def _writer(self) -> RecordFormat:
        return record_format(self.output.encoding.format)

    def _write(self, beginning: Beginning, session: Session) -> Written:
        is_first, steps = self.stage.kind == "first", self._steps
        hidden = hidden_for(self.checked, with_origin=True) if is_first else hidden_if_used(self.checked, steps.start)
        numbered_after = is_first and beginning.as_they_came is not None
        try:
            done, rows = steps.start, beginning.rows(hidden)
            if self.sparing:
                done, rows = self._kept_between(rows, session, hidden)
            rows = after_steps(
                self.checked, rows, steps.stop, hidden, self.joined, done=done, numbered_after=numbered_after
            )
            if is_first and hidden is not None:
                rows = beginning.as_they_came(rows, hidden) if beginning.as_they_came else rows
                return Written(self._keep(rows, hidden, session))
            if self.output.is_split:
                return self._split(rows, session)
            return Written(self._copy(output_rows(self.checked, rows, self._writer, self.processed_at), session))
        except duckdb.Error as error:
            writer = None if is_first else self._writer
            failed = FailedRun(self.checked, beginning, self.joined, steps, writer, session, error)
            raise RunFailed(failed) from None

    def _split(self, rows: str, session: Session) -> Written:
        """Each file is written as the output, which alone may be written, and then put beside it."""
        splitting = Splitting(self.checked.partition_by, self.checked.written, session)
        splitting.keep(rows_to_split(self.checked, rows, self._writer, self.processed_at), sparing=self.sparing)
        splits = []
        for query, file in splitting.files(self.output.path):
            self._copy(query, session)
            self.output.path.rename(file.path)
            splits.append(file)
        return Written(sum(file.records for file in splits), tuple(splits))

    def _kept_between(self, rows: str, session: Session, hidden: Hidden | None) -> tuple[int, str]:
        """Does all steps up to the last that sorts or groups, and keeps what each gives: so many, and the records."""
        done = self._steps.start
        sorting = [i for i in self._steps if self.checked.steps[i].sql.sorts]
        for before, step in zip([None, *sorting], sorting[:-1], strict=False):
            made = after_steps(self.checked, rows, step + 1, hidden, self.joined, done=done)
            session.rows(f"CREATE OR REPLACE TEMP TABLE after_{step} AS {made}")
            if before is not None:
                session.rows(f"DROP TABLE after_{before}")
            done, rows = step + 1, select("*", f"after_{step}")
        return done, rows

    def _write_nothing(self, session: Session) -> None:
        if self.stage.kind == "first":
            self._keep_nothing(session)
            return
        schema, writer, encoding = self.checked.output, self._writer, self.output.encoding
        nothing = writer.empty(schema)
        if nothing is not None:
            self.output.path.write_bytes(packed(nothing, encoding.compression))
            return
        if not schema.columns:
            message = f"there are no records, so no columns, and a file of {encoding.format.name} has at least one"
            raise PipelineError(CONFIG.at("output", "format"), f"{message}; say config.input.schema, or another format")
        cells = ", ".join(f"{writer.cell(column)} AS {quote_name(column.name)}" for column in schema)
        self._copy(select(cells, f"({_no_records(schema)})"), session)

    def _copy(self, query: str, session: Session) -> int:
        return _copied(query, self.output.path, self._writer.copy_options(self.output.encoding.compression), session)

    def _keep(self, rows: str, hidden: Hidden, session: Session) -> int:
        query = kept_rows(rows, self._between, hidden, slices_before=self.stage.slices_before)
        return _copied(query, self.output.path, COPY_OPTIONS, session)

    def _keep_nothing(self, session: Session) -> None:
        hidden = hidden_for(self.checked, with_origin=True)
        numbers = tuple(Column(name, "BIGINT") for name in (hidden.position, str(hidden.origin)))
        self._keep(_no_records(Schema((*numbers, *self._between))), hidden, session)

    @property
    def _between(self) -> Schema:
        """The columns between the two stages."""
        return self.checked.steps[self.stage.row_steps].before


def _no_records(schema: Schema) -> str:
    nulls = ", ".join(f"CAST(NULL AS {column.type}) AS {quote_name(column.name)}" for column in schema)
    return select("*", f"(SELECT {nulls})", "WHERE FALSE")


def _copied(query: str, path: Path, options: str, session: Session) -> int:
    """How many records were written."""
    [(written,)] = session.rows(f"COPY ({query}) TO {quote_text(str(path))} ({options}, USE_TMP_FILE false)")
    return int(str(written))
