"""Records as they are written, and what can be wrong with one."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.processor.domain.pipeline_errors import RecordError


class Flaw(Exception):  # noqa: N818 - says the fact
    """Why one record can't be read, or computed with; the others may be as they should."""

    def __init__(self, message: str, *, column: str | None = None, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.remedy = remedy

    @property
    def reason(self) -> str:
        return self.message + (f"; {self.remedy}" if self.remedy else "")

    def of(self, object_name: str, record: int) -> RecordError:
        """The error of a run that ends with this record."""
        return RecordError(self.message, object_name=object_name, record=record, column=self.column, remedy=self.remedy)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """The record `number` (from 1) of a file: `size` bytes from `byte` on, without the end of its line.

    `content` is only the beginning of one that is larger than any may be.
    """

    number: int
    byte: int
    size: int
    content: bytes
    flaw: Flaw | None = None


def first_flaw(records: Iterable[RawRecord], name: str) -> RecordError | None:
    """The error for the first that has one, or what ended the reading."""
    try:
        return next((raw.flaw.of(name, raw.number) for raw in records if raw.flaw is not None), None)
    except RecordError as error:
        return error
