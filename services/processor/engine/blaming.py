"""A run that failed in the middle: which record, which step, which value. Runs again, slowly, to find out."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from services.processor.domain.excerpts import excerpt
from services.processor.domain.pipeline_errors import PipelineError, Place, RecordError
from services.processor.domain.sql_text import select
from services.processor.domain.steps.shapes import Grouping, Shape, StepSql
from services.processor.engine.checking import CheckedPipeline
from services.processor.engine.files import PlainFile
from services.processor.engine.formats.record_format import RecordFormat, Scan
from services.processor.engine.grouping import grouped
from services.processor.engine.queries import after_steps, hidden_for, source, where
from services.processor.engine.session import Session, plain_words
from services.processor.engine.verifying import unreadable


@dataclass(frozen=True, slots=True)
class FailedRun:
    checked: CheckedPipeline
    files: Sequence[PlainFile]
    scans: Sequence[Scan]
    joined: Sequence[str]
    """The records that the joins read: they were looked at before."""
    writer: RecordFormat
    session: Session
    error: duckdb.Error

    def blame(self) -> RecordError | PipelineError:
        """The first value that can't be computed, in the order of steps, then of records."""
        for file, scan in zip(self.files, self.scans, strict=True):
            # A count alone may be taken from the statistics of a file whose values can't be read.
            if not self._succeeds(select("max(hash(COLUMNS(*)))", f"({scan.rows})")):
                return unreadable(file, scan, self.checked.input, self.session)
        for i, step in enumerate(self.checked.steps):
            if isinstance(step.sql, Grouping):
                failing = self._failing_measure(i, step.sql)
                if failing is not None:
                    return failing
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
        hidden = hidden_for(self.checked, with_origin=True)
        rows = after_steps(self.checked, source(self.scans, hidden), steps, hidden, self.joined)
        position = hidden.names[0]
        failing = f"WHERE TRY(({sql}) IS NULL) IS NULL ORDER BY {position} LIMIT 1"
        try:
            found = self.session.rows(select(", ".join(hidden.names), f"({rows})", failing))
        except duckdb.Error as error:  # it fails without any record: parts of it are constant
            return PipelineError(place, plain_words(error)) if place else None
        if not found:
            return None
        at, origin = (int(str(number)) for number in found[0])
        reason = self._reason(select(sql, f"({rows})", f"WHERE {position} = {at}"))
        message = f"{place}: {reason}" if place else reason
        source_name, record = self._where(steps, origin)
        return RecordError(message, object_name=source_name, record=record, column=excerpt(name) or None)

    def _where(self, steps: int, origin: int) -> tuple[str, int]:
        """Of what the record is one, and which: behind an aggregate it is none of an object."""
        for step in reversed(self.checked.steps[:steps]):
            if isinstance(step.sql, Grouping):
                return str(step.place), origin
        file, record = where(origin)
        return self.files[file].name, record

    def _failing_measure(self, steps: int, shape: Grouping) -> PipelineError | None:
        hidden = hidden_for(self.checked, with_origin=False)
        rows = after_steps(self.checked, source(self.scans, hidden), steps, hidden, self.joined)
        for measure in shape.measures:
            alone = grouped(Grouping(shape.keys, (measure,)), rows, hidden.names[0])
            try:
                self.session.rows(select("count(COLUMNS(*))", f"({alone})"))
            except duckdb.Error as error:
                return PipelineError(measure.value.place, plain_words(error))
        return None

    def _reason(self, sql: str) -> str:
        try:
            self.session.rows(sql)
        except duckdb.Error as error:
            return plain_words(error)
        return plain_words(self.error)


def _computed(shape: Shape) -> list[tuple[str, str, Place]]:
    """What a step computes of each record: a column's name (none for a filter), SQL and place."""
    if not isinstance(shape, StepSql):
        return []
    items = [(item.name, item.value.sql, item.value.place) for item in shape.items if item.type is None]
    return items + ([("", shape.where.sql, shape.where.place)] if shape.where else [])
