"""What the engine has to know of a format. A new format is a file beside this one, and a line in the registry."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from services.processor.domain.formats import Compression
from services.processor.domain.pipeline_errors import RecordError
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.engine.files import PlainFile
from services.processor.engine.formats.raw_records import RawRecord
from services.processor.engine.session import Stop

LARGEST_RECORD_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """The first plain bytes of an object, or (`is_whole`) all of them. `ending` are the last ones of a Parquet."""

    name: str
    content: bytes
    is_whole: bool
    ending: bytes = b""


@dataclass(frozen=True, slots=True)
class Scan:
    """How to read one file.

    `rows` is a query with the columns of the schema and no others. `raw` is a query for the same records in the same
    order, over which the others are expressions: `is_record`, whether it is a record and has no column that the schema
    does not know; for each column `fits`, whether its value can be read as the column's type without any change, and
    `texts`, the value as an error shows it.

    `fits` may leave to the reading what fails there anyway; `fits_exactly` does not, to find out what it was.
    """

    rows: str
    raw: str
    is_record: str
    fits: tuple[str, ...]
    fits_exactly: tuple[str, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows sooner than a scan that the records of a file are as they should be, where they are.

    If the query `records` has exactly the columns of the schema and does not fail, each record of which `fits` is true
    is one whose values all fit. Otherwise only the scan tells.
    """

    records: str
    fits: str


class RecordFormat(Protocol):
    def copy_options(self, compression: Compression, /) -> str:
        """Of DuckDB's COPY … TO."""
        ...

    @property
    def needs_one_thread(self) -> bool:
        """Whether the bytes that are written depend on the number of threads."""
        ...

    @property
    def keeps_anything(self) -> str:
        """The type that takes any value as it is: the remedy when a column's values differ in kind."""
        ...

    def infer(self, sample: Sample, *, leaves_out: bool) -> dict[str, str | None]:
        """Columns with types, in the order of their first appearance; None where no record has a value.

        Raises RecordError for a sample that is not of this format, and, unless it `leaves_out` such, for a bad record.
        """
        ...

    def merge(self, first: str | None, second: str | None) -> str | None:
        """One type for a column that two samples see differently."""
        ...

    def whole_records(self, sample: Sample) -> bytes:
        """The sample without a record that is cut off at its end: a file of this format."""
        ...

    def scan(self, file: PlainFile, schema: Schema) -> Scan:
        """Raises RecordError when the file's very start is wrong."""
        ...

    def proof(self, file: PlainFile, schema: Schema, /) -> Proof | None:
        """None where a scan is as quick."""
        ...

    def find_unreadable(self, file: PlainFile, schema: Schema, /, stop: Stop) -> RecordError | None:
        """The first record that is none, or has a column that the schema does not know.

        Slow: for when something is known to be wrong.
        """
        ...

    def empty(self, schema: Schema) -> bytes | None:
        """A file of no records; None where the COPY of none is one."""
        ...

    def cell(self, column: Column) -> str:
        """SQL for a column as this format writes it."""
        ...


class TextFormat(Protocol):
    """What else it has to know of one whose records are texts in a row."""

    def raw_records(self, file: PlainFile, stop: Stop, *, judged_by: Schema | None) -> Iterator[RawRecord]:
        """Each record as it is written; with `judged_by` also what shows to be wrong before its values are read.

        Raises RecordError where the file can't be cut into records.
        """
        ...

    def write_raw(self, file: PlainFile, contents: Iterator[bytes], target: BinaryIO, /) -> None:
        """Write a file of records that are written already, all of them from `file`."""
        ...
