"""A run that failed in the middle: which record, which step, which value. Runs again, slowly, to find out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from services.processor.domain.excerpts import excerpt
from services.processor.domain.pipeline_errors import PipelineError, Place, RecordError
from services.processor.domain.sql_text import select
from services.processor.domain.steps.shapes import Grouping, Shape, StepSql
from services.processor.engine.beginnings import Beginning
from services.processor.engine.checking import CheckedPipeline
from services.processor.engine.files import Origin
from services.processor.engine.formats.raw_records import Flaw
from services.processor.engine.formats.record_format import RecordFormat
from services.processor.engine.grouping import grouped
from services.processor.engine.queries import Hidden, after_steps, hidden_for, where
from services.processor.engine.rejects import windows
from services.processor.engine.session import Session, plain_words
from services.processor.engine.verifying import unreadable

_MOST_REASONS = 1000
"""Each takes a statement of its own."""


@dataclass(frozen=True, slots=True)
class _Computed:
    """SQL over the records after so many steps, and where it was written; `name` is its column's, none of a filter."""

    steps: int
    name: str
    sql: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class FailedRun:
    checked: CheckedPipeline
    beginning: Beginning
    joined: Sequence[str]
    """The records that the joins read: they were looked at before."""
    steps: range
    """Those that were run."""
    writer: RecordFormat | None
    """None where the records were to be kept as they are."""
    session: Session
    error: duckdb.Error

    def blame(self) -> RecordError | PipelineError:
        """The first value that can't be computed, in the order of steps, then of records."""
        for place in self.unreadable():
            file, scan = self.beginning.files[place], self.beginning.scans[place]
            return unreadable(file, scan, self.checked.input, self.session)
        for i in self.steps:
            step = self.checked.steps[i]
            if isinstance(step.sql, Grouping):
                failing = self._failing_measure(i, step.sql)
                if failing is not None:
                    return failing
            for one in _computed(i, step.sql):
                found = self._first_failing(one)
                if found is not None:
                    return found
        for one in self._written():
            found = self._first_failing(one)
            if found is not None:
                return found
        return self._failing_as_a_whole()

    def _failing_as_a_whole(self) -> RecordError:
        """Where no record fails by itself: to look for it, the engine may leave out what fails."""
        place, reason = None, f"a value can't be computed: {plain_words(self.error)}"
        computed = [one for i in self.steps for one in _computed(i, self.checked.steps[i].sql)]
        for one in computed:
            hidden = hidden_for(self.checked, with_origin=True)
            rows = self._after(one.steps, hidden, numbered_after=False)
            if not self._succeeds(select(f"max(hash({one.sql}))", f"({rows})")):
                place = one.place
                break
        return RecordError(_with_place(place, reason), object_name=self.beginning.origins[0].name)

    def unreadable(self) -> Iterator[int]:
        """Places of files whose values can't all be read: a count may be taken from fewer columns, or statistics."""
        for place, scan in enumerate(self.beginning.scans):
            if not self._succeeds(select("max(hash(COLUMNS(*)))", f"({scan.rows})")):
                yield place

    def failing(self) -> Iterator[tuple[int, Flaw]]:
        """Origins of all records that the first expression fails for, in order; reasons of the first thousand.

        None behind a step that needs all records: what comes out there does not depend on one record alone.
        """
        alone = next((i for i, step in enumerate(self.checked.steps) if step.needs_all_rows), len(self.checked.steps))
        computed = [one for i, step in enumerate(self.checked.steps[:alone]) for one in _computed(i, step.sql)]
        written = self._written() if alone == len(self.checked.steps) else []
        for one in [*computed, *written]:
            if self._has_kept_failing(one):
                yield from self._kept_failing(one)
                return

    def _written(self) -> list[_Computed]:
        if self.writer is None:
            return []
        steps, cell = len(self.checked.steps), self.writer.cell
        return [_Computed(steps, one.name, cell(one), None) for one in self.checked.written]

    def _has_kept_failing(self, one: _Computed) -> bool:
        hidden = hidden_for(self.checked, with_origin=True)
        rows = self._after(one.steps, hidden, numbered_after=True)
        position, origin = hidden.names
        first = f"QUALIFY row_number() OVER (PARTITION BY {origin} ORDER BY {position}) = 1"
        failing = select(f"{origin} AS origin_of_it, *", f"({rows})", f"{_where_fails(one)} {first}")
        try:
            self.session.rows(f"CREATE OR REPLACE TEMP TABLE failing AS {failing}")
        except duckdb.Error:  # it fails without any record
            return False
        return bool(self.session.rows("SELECT 1 FROM failing LIMIT 1"))

    def _kept_failing(self, one: _Computed) -> Iterator[tuple[int, Flaw]]:
        for i, (number,) in enumerate(windows(self.session, "(SELECT origin_of_it FROM failing)", "origin_of_it")):
            origin = int(str(number))
            reason = "the value can't be computed"
            if i < _MOST_REASONS:
                reason = self._reason(select(one.sql, "failing", f"WHERE origin_of_it = {origin}"))
            yield origin, Flaw(_with_place(one.place, reason), column=excerpt(one.name) or None)

    def _succeeds(self, sql: str) -> bool:
        try:
            self.session.rows(sql)
        except duckdb.Error:
            return False
        return True

    def _first_failing(self, one: _Computed) -> RecordError | PipelineError | None:
        hidden = hidden_for(self.checked, with_origin=True)
        rows = self._after(one.steps, hidden, numbered_after=True)
        position = hidden.names[0]
        failing = f"{_where_fails(one)} ORDER BY {position} LIMIT 1"
        try:
            found = self.session.rows(select(", ".join(hidden.names), f"({rows})", failing))
        except duckdb.Error as error:  # it fails without any record: parts of it are constant
            return PipelineError(one.place, plain_words(error)) if one.place else None
        if not found:
            return None
        at, origin = (int(str(number)) for number in found[0])
        reason = self._reason(select(one.sql, f"({rows})", f"WHERE {position} = {at}"))
        source, record = self._where(one.steps, origin)
        message, column = _with_place(one.place, reason), excerpt(one.name) or None
        return RecordError(
            message,
            object_name=source.name,
            record=source.before + record,
            column=column,
            from_byte=source.start,
        )

    def _after(self, steps: int, hidden: Hidden, *, numbered_after: bool) -> str:
        rows, done = self.beginning.rows(hidden), self.steps.start
        return after_steps(self.checked, rows, steps, hidden, self.joined, done=done, numbered_after=numbered_after)

    def _where(self, steps: int, origin: int) -> tuple[Origin, int]:
        """Of what the record is one, and which: behind an aggregate it is none of an object."""
        for step in reversed(self.checked.steps[:steps]):
            if isinstance(step.sql, Grouping):
                return Origin(str(step.place)), origin
        file, record = where(origin)
        return self.beginning.origins[file], record

    def _failing_measure(self, steps: int, shape: Grouping) -> PipelineError | None:
        hidden = hidden_for(self.checked, with_origin=False)
        rows = self._after(steps, hidden, numbered_after=False)
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


def _computed(steps: int, shape: Shape) -> list[_Computed]:
    """What a step computes of each record."""
    if not isinstance(shape, StepSql):
        return []
    items = [_Computed(steps, item.name, item.value.sql, item.value.place) for item in shape.items if item.type is None]
    return items + ([_Computed(steps, "", shape.where.sql, shape.where.place)] if shape.where else [])


def _where_fails(one: _Computed) -> str:
    return f"WHERE TRY(({one.sql}) IS NULL) IS NULL"


def _with_place(place: Place | None, reason: str) -> str:
    return f"{place}: {reason}" if place else reason
