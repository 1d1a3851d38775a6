"""What a run makes of its records: the result in its format."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from services.processor.domain.formats import Encoding
from services.processor.domain.packing import packed
from services.processor.domain.pipeline_errors import CONFIG, PipelineError, RecordError
from services.processor.domain.sql_text import quote_name, quote_text, select
from services.processor.engine.blaming import FailedRun
from services.processor.engine.checking import CheckedPipeline
from services.processor.engine.files import PlainFile
from services.processor.engine.formats.record_format import RecordFormat, Scan
from services.processor.engine.formats.registry import record_format
from services.processor.engine.queries import Hidden, after_steps, hidden_if_used, output_rows, source
from services.processor.engine.session import Session


@dataclass(frozen=True, slots=True)
class OutputFile:
    """Where the result goes; a file that is there already is replaced."""

    path: Path
    encoding: Encoding


class RunFailed(Exception):  # noqa: N818 - it states the fact
    """For a record, or for the pipeline: `run` finds out."""

    def __init__(self, run: FailedRun) -> None:
        super().__init__("the run failed")
        self.run = run


@dataclass(frozen=True, slots=True)
class Work:
    """The steps of a pipeline, from records to a file. `sparing`: slower, for what needs too much memory."""

    checked: CheckedPipeline
    joined: Sequence[str]
    output: OutputFile
    processed_at: str
    sparing: bool

    def write(self, files: Sequence[PlainFile], records: int, session: Session) -> int:
        """How many records were written, of so many that are in the files and all fit. Raises RunFailed."""
        if records and not self.checked.input.columns:
            raise RecordError("no record has any key", object_name=files[0].name)
        written = self._write(files, session) if records or self.checked.makes_a_record else 0
        if not written:
            self._write_nothing(session)
        return written

    def _write(self, files: Sequence[PlainFile], session: Session) -> int:
        writer = record_format(self.output.encoding.format)
        scans = [record_format(file.format).scan(file, self.checked.input) for file in files]
        hidden = hidden_if_used(self.checked)
        try:
            done, rows = self._kept_between(scans, session, hidden) if self.sparing else (0, source(scans, hidden))
            rows = after_steps(self.checked, rows, len(self.checked.steps), hidden, self.joined, done=done)
            return self._copy(output_rows(self.checked, rows, writer, self.processed_at), writer, session)
        except duckdb.Error as error:
            failed = FailedRun(self.checked, files, scans, self.joined, writer, session, error)
            raise RunFailed(failed) from None

    def _kept_between(self, scans: Sequence[Scan], session: Session, hidden: Hidden | None) -> tuple[int, str]:
        """Does all steps up to the last that sorts or groups, and keeps what each gives: so many, and the records."""
        done, rows = 0, source(scans, hidden)
        sorting = [i for i, step in enumerate(self.checked.steps) if step.sql.sorts]
        for step in sorting[:-1]:
            made = after_steps(self.checked, rows, step + 1, hidden, self.joined, done=done)
            session.rows(f"CREATE OR REPLACE TEMP TABLE after_{step} AS {made}")
            if done:
                session.rows(f"DROP TABLE after_{done - 1}")
            done, rows = step + 1, select("*", f"after_{step}")
        return done, rows

    def _write_nothing(self, session: Session) -> None:
        schema, encoding = self.checked.output, self.output.encoding
        writer = record_format(encoding.format)
        nothing = writer.empty(schema)
        if nothing is not None:
            self.output.path.write_bytes(packed(nothing, encoding.compression))
            return
        if not schema.columns:
            message = f"there are no records, so no columns, and a file of {encoding.format.name} has at least one"
            raise PipelineError(CONFIG.at("output", "format"), f"{message}; say config.input.schema, or another format")
        nulls = ", ".join(f"CAST(NULL AS {column.type}) AS {quote_name(column.name)}" for column in schema)
        cells = ", ".join(f"{writer.cell(column)} AS {quote_name(column.name)}" for column in schema)
        self._copy(select(cells, f"(SELECT {nulls})", "WHERE FALSE"), writer, session)

    def _copy(self, query: str, writer: RecordFormat, session: Session) -> int:
        """How many records were written."""
        options = f"{writer.copy_options(self.output.encoding.compression)}, USE_TMP_FILE false"
        [(written,)] = session.rows(f"COPY ({query}) TO {quote_text(str(self.output.path))} ({options})")
        return int(str(written))
