"""A result split by values of its columns: one file after the other is written of records that are sorted by them.

They are sorted once, on the disk if need be, so neither memory nor open files grow with the number of values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.processor.domain.pipeline_errors import PipelineError
from services.processor.domain.schema_of_records import Column
from services.processor.domain.splits import MOST_FOLDER_BYTES, OF_NULL, PARTITION_BY, split_folder
from services.processor.domain.sql_text import quote_name, select
from services.processor.engine.session import Session

MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class SplitFile:
    """The records of these values; texts, or None for null."""

    values: tuple[str | None, ...]
    path: Path
    records: int


@dataclass(frozen=True, slots=True)
class Splitting:
    """`keys` are the columns that the result is split by, which its files leave out; `columns` are the others."""

    keys: Sequence[Column]
    columns: Sequence[Column]
    session: Session

    def keep(self, rows: str, *, sparing: bool) -> None:
        """Sort the records: `k0`, `k1` and so on are their keys as texts, `c0`, `c1` and so on the other columns.

        `sparing`: only once all of them are made.
        """
        if sparing:
            self.session.rows(f"CREATE OR REPLACE TEMP TABLE unsorted AS {rows}")
            rows = select("*", "unsorted")
        order = ", ".join(f"k{i} NULLS LAST" for i in range(len(self.keys)))
        as_they_come = select("row_number() OVER () AS n, *", f"({rows})")
        in_turn = select("*", f"({as_they_come})", f"ORDER BY {order}, n")
        made = select("row_number() OVER () AS place, * EXCLUDE (n)", f"({in_turn})")
        self.session.rows(f"CREATE OR REPLACE TEMP TABLE split AS {made}")
        if sparing:
            self.session.rows("DROP TABLE unsorted")

    def files(self, path: Path) -> Iterator[tuple[str, SplitFile]]:
        """A query for the records of each file, in their order, and the file as it shall be, beside `path`.

        Raises PipelineError for values that can't have a file each.
        """
        keys = ", ".join(f"k{i}" for i in range(len(self.keys)))
        groups = select(f"{keys}, min(place), count(*)", "split", f"GROUP BY {keys} ORDER BY min(place)")
        found = self.session.rows(f"{groups} LIMIT {MOST_FILES + 1}")
        if len(found) > MOST_FILES:
            raise PipelineError(PARTITION_BY, self._too_many())
        texts = [tuple(None if value is None else str(value) for value in row[: len(self.keys)]) for row in found]
        for values in texts:
            self._check(values)
        cells = ", ".join(f"c{i} AS {quote_name(column.name)}" for i, column in enumerate(self.columns))
        for number, (values, row) in enumerate(zip(texts, found, strict=True)):
            first, records = int(str(row[-2])), int(str(row[-1]))
            query = select(cells, "split", f"WHERE place BETWEEN {first} AND {first + records - 1}")
            yield query, SplitFile(values, path.with_name(f"{path.name}-{number}"), records)

    def _too_many(self) -> str:
        counts = ", ".join(f"approx_count_distinct(k{i})" for i in range(len(self.keys)))
        [found] = self.session.rows(select(counts, "split"))
        most = max(range(len(self.keys)), key=lambda i: int(str(found[i])))
        name = f'"{self.keys[most].name}"' + (" together with the others" if len(self.keys) > 1 else "")
        remedy = "name columns with fewer values, or derive one that has, such as the day of a time"
        return f"{name} has more than {MOST_FILES:,} values in one part of the job; {remedy}"

    def _check(self, values: Sequence[str | None]) -> None:
        names = [column.name for column in self.keys]
        for name, value in zip(names, values, strict=True):
            if value in {"", OF_NULL}:
                text = "an empty text" if not value else f'the text "{value}"'
                message = f'"{name}" has {text}, which no folder can tell from null; write another in its place'
                raise PipelineError(PARTITION_BY, f"{message}, as in coalesce(nullif({name}, '{value}'), 'none')")
        if len(split_folder(names, values).encode()) > MOST_FOLDER_BYTES:
            longest = max(zip(names, values, strict=True), key=lambda pair: len(pair[1] or ""))[0]
            message = f'"{longest}" has a text that is too long for the name of a folder'
            raise PipelineError(PARTITION_BY, f"{message}; {MOST_FOLDER_BYTES} bytes are the most, with all columns'")
