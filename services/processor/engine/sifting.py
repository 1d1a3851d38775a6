"""Bad records left out: the pipeline runs over files that hold the others alone, as over any files.

What is bad is found in three steps, each over what the step before has left: what is no record as it is written, what
does not fit its column, what an expression fails for.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from services.processor.domain.pipeline_errors import MemoryExceeded, RecordError
from services.processor.domain.schema_of_records import Schema
from services.processor.domain.sql_text import quote_text, select
from services.processor.engine.blaming import FailedRun
from services.processor.engine.files import PlainFile
from services.processor.engine.formats.record_format import Scan
from services.processor.engine.formats.registry import record_format, text_format
from services.processor.engine.quarantine import in_step, packed_line, text_line, write_lines
from services.processor.engine.queries import Hidden, where
from services.processor.engine.rejects import Reject, Rejects, windows
from services.processor.engine.session import Session
from services.processor.engine.verifying import count_records, misfit


class Sieve:
    """`files` are what is left."""

    def __init__(self, files: Sequence[PlainFile], schema: Schema, session: Session) -> None:
        self.files = list(files)
        self._originals = tuple(files)
        self._schema = schema
        self._session = session
        self._folder = Path(mkdtemp(dir=session.scratch))
        self._rejects = Rejects(session, self._folder / "notes")
        self._written = 0

    @property
    def rejected(self) -> int:
        return len(self._rejects)

    def count(self) -> int:
        """How many records can be read; the others are left out from now on.

        Raises RecordError for a file that can't be cut into records.
        """
        return sum(map(self._count, range(len(self.files))))

    def leave_out(self, failed: FailedRun) -> bool:
        """The records that the run failed for. False if it was not for records of the input."""
        before = self.rejected
        for place in failed.unreadable():
            self._leave_out_flawed(place)
            self._leave_out_misfits(place)
        if self.rejected > before:
            return True
        for place, some in groupby(failed.failing(), key=lambda one: where(one[0])[0]):
            self._rejects.note(place, ((where(origin)[1], flaw) for origin, flaw in some))
            self._write_good(place)
        return self.rejected > before

    def as_it_came(self, error: RecordError) -> RecordError:
        """An error that counts the records which are left, with the number that its record has in the input."""
        place = next((i for i, file in enumerate(self._originals) if file.name == error.object_name), None)
        if place is None or error.record is None:
            return error
        return error.numbered(self._rejects.as_it_came(place, error.record))

    def as_they_came(self, rows: str, hidden: Hidden) -> str:
        """Records of the files, with their numbers in the input as their origins."""
        return self._rejects.origins_as_they_came(rows, hidden)

    def write_rejects(self, path: Path) -> None:
        """All that was left out, in order."""
        write_lines((line for place in range(len(self._originals)) for line in self._lines(place)), path)

    def _count(self, place: int) -> int:
        for leave_out in (self._leave_out_misfits, self._leave_out_flawed, self._leave_out_misfits):
            with suppress(RecordError):
                return self._count_strictly(place)
            leave_out(place)
        return self._count_strictly(place)

    def _count_strictly(self, place: int) -> int:
        file = self.files[place]
        return count_records([file], [self._scan(file)], self._schema, self._session)

    def _scan(self, file: PlainFile) -> Scan:
        return record_format(file.format).scan(file, self._schema)

    def _leave_out_flawed(self, place: int) -> None:
        file = self.files[place]
        text = text_format(file.format)
        if text is not None:
            judged = text.raw_records(file, self._session.stop, judged_by=self._schema)
            self._rejects.note(place, ((raw.number, raw.flaw) for raw in judged if raw.flaw is not None))
            self._write_good(place)

    def _leave_out_misfits(self, place: int) -> None:
        """Nothing where some are no records at all: these have to go first."""
        file, scan = self.files[place], self._scan(self.files[place])
        at = "CASE " + " ".join(f"WHEN NOT ({fits}) THEN {i}" for i, fits in enumerate(scan.fits_exactly)) + " END"
        texts = " ".join(f"WHEN {i} THEN left({text}, 100)" for i, text in enumerate(scan.texts))
        good = " AND ".join([scan.is_record, *scan.fits_exactly])
        numbered = select(f"row_number() OVER () AS n, *, ({good}) AS good", f"({scan.raw})")
        bad = select(f"n, {at} AS at, CASE {at} {texts} END, {scan.is_record} AS is_record", f"({numbered})")
        try:
            self._session.rows(f"CREATE OR REPLACE TEMP TABLE misfits AS {bad} WHERE NOT good")
            if self._session.rows("FROM misfits WHERE NOT is_record LIMIT 1"):
                return
        except (duckdb.Error, MemoryExceeded):  # one record may be too large for the engine
            return
        found = windows(self._session, "misfits", "n")
        flaws = (
            (int(str(n)), misfit(file.format, self._schema.columns[int(str(at))], text)) for n, at, text, _ in found
        )
        self._rejects.note(place, flaws)
        self._write_good(place)

    def _write_good(self, place: int) -> None:
        original, before = self._originals[place], self.files[place]
        path = self._folder / f"good-{self._written}"
        self._written += 1
        text = text_format(original.format)
        if text is None:
            self._copy_good(place, path)
        else:
            raws = text.raw_records(original, self._session.stop, judged_by=None)
            both = in_step(raws, self._rejects.of(place))
            with path.open("wb") as target:
                text.write_raw(original, (raw.content for raw, reject in both if reject is None), target)
        if before.path != original.path:
            before.path.unlink()
        self.files[place] = replace(original, path=path)

    def _copy_good(self, place: int, path: Path) -> None:
        bad = select("record", "rejects", f"WHERE file = {place}")
        good = select("* EXCLUDE (n)", f"({self._packed(place, '*')})", f"WHERE n NOT IN ({bad}) ORDER BY n")
        self._session.rows(f"COPY ({good}) TO {quote_text(str(path))} (FORMAT parquet, USE_TMP_FILE false)")

    def _packed(self, place: int, what: str) -> str:
        raw = self._scan(self._originals[place]).raw
        return select(f"row_number() OVER () AS n, {what}", f"({raw}) AS values_of_one")

    def _lines(self, place: int) -> Iterator[str]:
        file = self._originals[place]
        text = text_format(file.format)
        if text is None:
            yield from self._packed_lines(place, file)
            return
        raws = text.raw_records(file, self._session.stop, judged_by=None)
        for raw, reject in in_step(raws, self._rejects.of(place)):
            if reject is not None:
                yield text_line(file, reject, raw)

    def _packed_lines(self, place: int, file: PlainFile) -> Iterator[str]:
        all_of_them = self._packed(place, "CAST(to_json(values_of_one) AS VARCHAR) AS shown")
        bad = select("n, col, reason, shown", f"({all_of_them}) JOIN rejects ON n = record", f"WHERE file = {place}")
        self._session.rows(f"CREATE OR REPLACE TEMP TABLE bad AS {bad}")
        for n, column, reason, shown in windows(self._session, "bad", "n"):
            reject = Reject(int(str(n)), None if column is None else str(column), str(reason))
            yield packed_line(file, reject, str(shown))
