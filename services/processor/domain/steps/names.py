"""Columns' names as a config writes them: existing ones, new ones, lists and mappings of them."""

from services.processor.domain.excerpts import excerpt
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Column, Schema
from shared.nearest import did_you_mean

_LONGEST_NAME = 255


def column_of(schema: Schema, name: str, place: Place) -> Column:
    column = schema.find(name)
    if column is None:
        raise PipelineError(place, f'no column "{excerpt(name)}"; {did_you_mean(name, schema.names)}')
    return column


def parse_name(raw_name: object, place: Place) -> str:
    """A column's name, existing or new."""
    if not isinstance(raw_name, str) or not raw_name:
        raise PipelineError(place, "a column's name is text, and not empty")
    if len(raw_name) > _LONGEST_NAME or "\0" in raw_name:
        raise PipelineError(place, f"a column's name has at most {_LONGEST_NAME} characters, and no NUL")
    return raw_name


def parse_names(raw_names: object, place: Place) -> tuple[str, ...]:
    """A list of different columns, at least one."""
    if not isinstance(raw_names, list) or not raw_names:
        raise PipelineError(place, 'a list of column names is expected, such as ["id", "total"]')
    names = tuple(parse_name(raw, place.at(i)) for i, raw in enumerate(raw_names))
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name.casefold() in seen:
            raise PipelineError(place.at(i), f'the column "{excerpt(name)}" is named twice')
        seen.add(name.casefold())
    return names


def parse_mapping(raw: object, place: Place, example: str) -> dict[str, object]:
    """An object whose keys are column names, at least one."""
    if not isinstance(raw, dict) or not raw:
        raise PipelineError(place, f"an object is expected, such as {example}")
    mapping = {parse_name(name, place): value for name, value in raw.items()}
    parse_names(list(mapping), place)
    return mapping


def parse_options(
    raw: object, place: Place, *, required: tuple[str, ...], optional: tuple[str, ...]
) -> dict[str, object]:
    """An object with these keys and no others."""
    known = (*required, *optional)
    if not isinstance(raw, dict):
        raise PipelineError(place, f'an object with "{required[0]}" is expected')
    for key in raw:
        if key not in known:
            raise PipelineError(place.at(str(key)), f'unknown key "{excerpt(key)}"; {did_you_mean(str(key), known)}')
    for key in required:
        if key not in raw:
            raise PipelineError(place, f'"{key}" is missing')
    return raw
