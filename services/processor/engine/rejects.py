"""Which records were left out, and why, noted in the engine: as many as there are, they take no memory of ours."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.processor.domain.sql_text import quote_text, select
from services.processor.engine.formats.raw_records import Flaw
from services.processor.engine.queries import RECORD_BITS, RECORD_MASK, Hidden
from services.processor.engine.session import Session

_AT_ONCE = 10_000
_LINES = "format = 'newline_delimited', columns = {record: 'BIGINT', col: 'VARCHAR', reason: 'VARCHAR'}"


@dataclass(frozen=True, slots=True)
class Reject:
    """The record `record` (from 1) of a file."""

    record: int
    column: str | None
    reason: str


class Rejects:
    """Files have places, from 0. All numbers of records are those of the files as they came."""

    def __init__(self, session: Session, notes: Path) -> None:
        """`notes` is a file that the session may read."""
        self._session = session
        self._notes = notes
        session.rows("CREATE OR REPLACE TEMP TABLE rejects (file INTEGER, record BIGINT, col VARCHAR, reason VARCHAR)")

    def __len__(self) -> int:
        [(number,)] = self._session.rows("SELECT count(*) FROM rejects")
        return int(str(number))

    def note(self, place: int, flaws: Iterable[tuple[int, Flaw]]) -> None:
        """Flaws of records as they are numbered without all that were noted before."""
        with self._notes.open("w", encoding="utf-8") as notes:
            for record, flaw in flaws:
                notes.write(json.dumps({"record": record, "col": flaw.column, "reason": flaw.reason}) + "\n")
        found = _as_they_came(place, f"read_json({quote_text(str(self._notes))}, {_LINES})")
        self._session.rows(f"INSERT INTO rejects {select(f'{place}, came, col, reason', f'({found})')}")

    def of(self, place: int) -> Iterator[Reject]:
        """In order."""
        rows = select("record, col, reason", "rejects", f"WHERE file = {place}")
        for record, column, reason in windows(self._session, f"({rows})", "record"):
            yield Reject(int(str(record)), None if column is None else str(column), str(reason))

    def as_it_came(self, place: int, record: int) -> int:
        """The number of a record that is counted without those that were noted."""
        [(came,)] = self._session.rows(select("came", f"({_as_they_came(place, f'(SELECT {record} AS record)')})"))
        return int(str(came))

    def origins_as_they_came(self, rows: str, hidden: Hidden) -> str:
        """The same records; their origins, which count those that are left, count all."""
        position, origin = hidden.names
        number = "row_number() OVER (PARTITION BY file ORDER BY record) AS so_many"
        shifts = select(
            "file, record - so_many AS behind, max(so_many) AS shift",
            f"({select(f'file, record, {number}', 'rejects')})",
            "GROUP BY file, behind",
        )
        at = f"found.{origin} >> {RECORD_BITS} = shifts.file AND found.{origin} & {RECORD_MASK} > shifts.behind"
        joined = f"({rows}) AS found ASOF LEFT JOIN ({shifts}) AS shifts ON {at}"
        came = f"found.* REPLACE (found.{origin} + coalesce(shifts.shift, 0) AS {origin})"
        return select(came, joined, f"ORDER BY found.{position}")


def windows(session: Session, source: str, key: str) -> Iterator[tuple[object, ...]]:
    """Rows in the order of their first column, `key`, which are positive numbers; only so many at once."""
    last = 0
    while rows := session.rows(select("*", source, f"WHERE {key} > {last} ORDER BY {key} LIMIT {_AT_ONCE}")):
        yield from rows
        last = int(str(rows[-1][0]))


def _as_they_came(place: int, found: str) -> str:
    """A column `came`: behind each record that was left out, the numbers of all others are less by one."""
    left_out = select("record, row_number() OVER (ORDER BY record) AS so_many", "rejects", f"WHERE file = {place}")
    shifts = select("record - so_many AS behind, max(so_many) AS shift", f"({left_out})", "GROUP BY behind")
    joined = f"{found} AS found ASOF LEFT JOIN ({shifts}) AS shifts ON found.record > shifts.behind"
    return select("found.*, found.record + coalesce(shifts.shift, 0) AS came", joined)
