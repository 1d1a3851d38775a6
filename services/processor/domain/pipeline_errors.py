"""What can be wrong with a pipeline, and with the records that it meets. Every text names the place and the remedy."""

from dataclasses import dataclass
from typing import Any

from shared.errors import FieldError, Problem, ValidationFailed


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a request body, written for people (`config.transformations[2].derive`) and as RFC 6901 asks."""

    parts: tuple[str | int, ...]

    def at(self, *parts: str | int) -> "Place":
        return Place(self.parts + parts)

    @property
    def pointer(self) -> str:
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.parts)

    def __str__(self) -> str:
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.parts)
        return text.removeprefix(".")


CONFIG = Place(("config",))
INPUT = CONFIG.at("input")
DATA_SOURCE = Place(("data_source",))


class PipelineError(ValidationFailed):
    """The pipeline can't be run as it is written. `errors` holds one entry: the place and the remedy."""

    code, title = "invalid-pipeline", "The pipeline is not valid"

    def __init__(self, place: Place, message: str) -> None:
        detail = f"{place}: {message}"
        super().__init__(detail, errors=[FieldError(place.pointer, detail)])
        self.place = place
        self.message = message


class RecordError(ValidationFailed):
    """A record of the input can't be read or computed with.

    `object` names the S3 object; `record` and `column` stand beside it where they are known. Records are counted from
    1 within the object, or, of a large text, behind the byte that `from_byte` names.
    """

    code, title = "bad-record", "A record can't be processed"

    def __init__(
        self,
        message: str,
        *,
        object_name: str,
        record: int | None = None,
        column: str | None = None,
        remedy: str = "",
        from_byte: int = 0,
    ) -> None:
        number = f"record {record}" + (f" behind byte {from_byte}" if from_byte else "")
        where = [object_name] + ([number] if record else []) + ([f'column "{column}"'] if column else [])
        detail = f"{', '.join(where)}: {message}" + (f"; {remedy}" if remedy else "")
        extensions = {
            "object": object_name,
            "record": record or None,
            "from_byte": from_byte or None,
            "column": column,
        }
        super().__init__(detail, extensions={key: value for key, value in extensions.items() if value is not None})
        self.object_name = object_name
        self._said: dict[str, Any] = {"message": message, "record": record, "column": column, "remedy": remedy}

    @property
    def record(self) -> int | None:
        record: int | None = self._said["record"]
        return record

    def numbered(self, record: int) -> "RecordError":
        """The same of the record of that number."""
        return RecordError(object_name=self.object_name, **{**self._said, "record": record})

    def behind(self, from_byte: int, before: int) -> "RecordError":
        """The same of an object that was read from that byte on, or behind so many records."""
        moved = {**self._said, "record": self.record and before + self.record}
        return RecordError(object_name=self.object_name, from_byte=from_byte, **moved)


class DeadlineExceeded(Problem):
    """The records of one object took longer than `MAYFLY_ENGINE_DEADLINE_SECONDS`, or a preview longer than it may."""

    code, status, title = "deadline-exceeded", 422, "The pipeline took too long"


class MemoryExceeded(Problem):
    """The pipeline needs more than `MAYFLY_ENGINE_MEMORY_MB` for one object. Sort or select less."""

    code, status, title = "memory-exceeded", 422, "The pipeline needs too much memory"


class WorkFolderFull(Problem):
    """Ours to mend, and no other attempt on this disk would go better: `work_dir` is too small for such a job."""

    code, status, title = "work-folder-full", 500, "The worker has too little disk for this"

    def __init__(self) -> None:
        super().__init__(
            "the worker's disk is full; split the input, or have MAYFLY_WORK_DIR moved to a larger disk, "
            "or MAYFLY_SLOTS lowered"
        )


class RunCancelled(Problem):
    """The caller of the engine stopped the run. Nothing is wrong with the pipeline or its input."""

    code, status, title = "cancelled", 409, "The run was cancelled"
