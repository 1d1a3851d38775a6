"""A run that failed in the middle: which record, which step, which value. Runs again, slowly, to find out."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from services.processor.domain.excerpts import excerpt
from services.processor.domain.pipeline_errors import PipelineError, Place, RecordError
from services.processor.domain.sql_text import quote_name, select
from services.processor.domain.steps.step import StepSql
from services.processor.engine.checking import CheckedPipeline
from services.processor.engine.files import PlainFile
from services.processor.engine.formats.record_format import RecordFormat, Scan
from services.processor.engine.queries import after_steps, origin_for, source
from services.processor.engine.session import Session, plain_words
from services.processor.engine.verifying import unreadable


@dataclass(frozen=True, slots=True)
class FailedRun:
    checked: CheckedPipeline
    files: Sequence[PlainFile]
    scans: Sequence[Scan]
    writer: RecordFormat
    session: Session
    error: duckdb.Error

    def blame(self) -> RecordError | PipelineError:
        """The first value that can't be computed, in the order of steps, then of records."""
        for file, scan in zip(self.files, self.scans, strict=True):
            if not self._succeeds(select("count(COLUMNS(*))", f"({scan.rows})")):
                return unreadable(file, scan, self.checked.input, self.session)
        for i, step in enumerate(self.checked.steps):
            for name, sql, place in _computed(step.sql):
                found = self._first_failing(i, sql, place, name)
                if found is not None:
                    return found
        for column in self.checked.output:
            found = self._first_failing(len(self.checked.steps), self.writer.cell(column), None, column.name)
            if found is not None:
                return found
        return RecordError(f"a value can't be computed: {plain_words(self.error)}", object_name=self.files[0].name)

    def _succeeds(self, sql: str) -> bool:
        try:
            self.session.rows(sql)
        except duckdb.Error:
            return False
        return True

    def _first_failing(
        self, steps: int, sql: str, place: Place | None, name: str
    ) -> RecordError | PipelineError | None:
        origin = origin_for(self.checked)
        rows = after_steps(self.checked, source(self.scans, origin), steps, origin)
        failing = f"WHERE TRY(({sql}) IS NULL) IS NULL ORDER BY {origin.columns} LIMIT 1"
        try:
            found = self.session.rows(select(origin.columns, f"({rows})", failing))
        except duckdb.Error as error:  # it fails without any record: parts of it are constant
            return PipelineError(place, plain_words(error)) if place else None
        if not found:
            return None
        [(file, record)] = found
        one = f"WHERE {quote_name(origin.file)} = {file} AND {quote_name(origin.record)} = {record}"
        reason = self._reason(select(sql, f"({rows})", one))
        message = f"{place}: {reason}" if place else reason
        file_name = self.files[int(str(file))].name
        return RecordError(message, object_name=file_name, record=int(str(record)), column=excerpt(name) or None)

    def _reason(self, sql: str) -> str:
        try:
            self.session.rows(sql)
        except duckdb.Error as error:
            return plain_words(error)
        return plain_words(self.error)


def _computed(step: StepSql) -> list[tuple[str, str, Place]]:
    """What a step computes, rather than passes on: a column's name (none for a filter), SQL and place."""
    items = [(item.name, item.value.sql, item.value.place) for item in step.items if item.type is None]
    return items + ([("", step.where.sql, step.where.place)] if step.where else [])
