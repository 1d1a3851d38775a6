"""What can be wrong with a job's inputs as such, before a record is looked at."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.processor.domain.pipeline_errors import DATA_SOURCE, INPUT, Place, RecordError
from shared.errors import FieldError, ValidationFailed

_POINTER = DATA_SOURCE.pointer


class SourceMissing(ValidationFailed):
    """There is no such object, or the caller may not read it. `object` names it."""

    code, title = "source-missing", "A source can't be read"

    def __init__(self, name: str, fact: str) -> None:
        detail = f"data_source: {name}: {fact}; upload it with POST /api/uploads, or name another"
        super().__init__(detail, errors=[FieldError(_POINTER, detail)], extensions={"object": name})


class SourceChanged(ValidationFailed):
    """The object was replaced after the job was planned. `object` names it; submit the job anew."""

    code, title = "source-changed", "A source changed while the job ran"

    def __init__(self, name: str) -> None:
        detail = f"data_source: {name} was replaced after the job had begun; submit the job again under another id"
        super().__init__(detail, errors=[FieldError(_POINTER, detail)], extensions={"object": name})


class NoSources(ValidationFailed):
    """No object matches the prefix or the glob."""

    code, title = "no-sources", "Nothing to read"

    def __init__(self, pattern: str) -> None:
        detail = f"data_source: no object matches {pattern}; check the prefix, or upload with POST /api/uploads"
        super().__init__(detail, errors=[FieldError(_POINTER, detail)])


class TooManySources(ValidationFailed):
    """More objects match than one job may read."""

    code, title = "too-many-sources", "Too much to read"

    def __init__(self, fact: str) -> None:
        detail = f"data_source: {fact}; narrow the prefix, or split it over several jobs"
        super().__init__(detail, errors=[FieldError(_POINTER, detail)])


@contextmanager
def of_join(place: Place) -> Iterator[None]:
    """What is wrong within is wrong with the source of the join that stands there, and is to be mended there."""
    try:
        yield
    except (SourceMissing, SourceChanged, NoSources, TooManySources) as error:
        error.detail = f"{place.at('source')}{error.detail.removeprefix(str(DATA_SOURCE))}"
        error.errors = (FieldError(place.at("source").pointer, error.detail),)
        raise
    except RecordError as error:
        error.detail = error.detail.replace(str(INPUT), str(place.at("input")))
        raise
