"""Where a job's records come from: S3 objects under the caller's own prefixes. Nothing here asks S3."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from services.processor.domain.excerpts import excerpt
from services.processor.domain.pipeline_errors import DATA_SOURCE, PipelineError, Place

_LONGEST_KEY_BYTES = 1024
_MOST_SOURCES = 1000
_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.*)", re.DOTALL)
_SAMPLE_RECORDS = 100


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What this caller may read. Prefixes are whole URLs that end in `/`: `s3://mayfly-data/inputs/user_x/`."""

    allowed_prefixes: tuple[str, ...]
    sample_allowed: bool = False


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """One object."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class PrefixSource:
    """Every object whose key starts with `prefix` and, where there is a glob, matches it.

    In a glob, `*` stands for any characters and `?` for one, but for no `/`; `**` between slashes for any folders.
    Keys that end in `/` (the markers that consoles make for folders) never match.
    """

    bucket: str
    prefix: str
    glob: str | None = None

    def matches(self, key: str) -> bool:
        if not key.startswith(self.prefix) or key.endswith("/"):
            return False
        return self.glob is None or _glob_matches(self.glob.split("/"), key.split("/"))


@dataclass(frozen=True, slots=True)
class SampleSource:
    """The hundred made-up records of the data source "test"."""

    name: str = "test.json"

    def content(self) -> bytes:
        return json.dumps([{"id": i, "value": f"data_{i}"} for i in range(_SAMPLE_RECORDS)]).encode()


Source = ObjectSource | PrefixSource | SampleSource


def parse_source(raw_source: object, rules: SourceRules, place: Place = DATA_SOURCE) -> tuple[Source, ...]:
    """The sources of a `data_source`, or of what stands at `place`, in their order; each within `rules`."""
    if not isinstance(raw_source, list):
        return (_parse_one(raw_source, place, rules),)
    if not 1 <= len(raw_source) <= _MOST_SOURCES:
        raise PipelineError(place, f"a list names 1 to {_MOST_SOURCES} sources")
    sources = tuple(_parse_one(raw, place.at(i), rules) for i, raw in enumerate(raw_source))
    for i, source in enumerate(sources):
        if source in sources[:i]:
            raise PipelineError(place.at(i), "this source is listed twice; name each once")
    return sources


def _parse_one(raw_url: object, place: Place, rules: SourceRules) -> Source:
    if not isinstance(raw_url, str):
        raise PipelineError(place, f"a source is text such as {_example(rules)} (or a list of such texts)")
    if raw_url == "test" and rules.sample_allowed:
        return SampleSource()
    match = _URL.fullmatch(raw_url[: 2 * _LONGEST_KEY_BYTES])
    if match is None:
        raise PipelineError(place, f'"{excerpt(raw_url)}" is no S3 URL; {_remedy(rules)}')
    bucket, key = match.groups()
    _check_key(key, place, rules)
    prefix = key if "*" not in key and "?" not in key else key[: min(_positions(key))]
    if not any(f"s3://{bucket}/{prefix}".startswith(allowed) for allowed in rules.allowed_prefixes):
        raise PipelineError(place, f'"{excerpt(raw_url)}" is not among the places that you may read; {_remedy(rules)}')
    if prefix != key:
        return PrefixSource(bucket, prefix, key)
    return PrefixSource(bucket, key) if key.endswith("/") else ObjectSource(bucket, key)


def _check_key(key: str, place: Place, rules: SourceRules) -> None:
    if not key:
        raise PipelineError(place, f"the URL names a bucket but no object; {_remedy(rules)}")
    if not key.isprintable():
        raise PipelineError(place, "the URL holds a control character or a broken one; leave it out")
    if len(key.encode()) > _LONGEST_KEY_BYTES:
        raise PipelineError(place, f"a key has at most {_LONGEST_KEY_BYTES} bytes")
    if any(part in {".", ".."} for part in key.split("/")) or "//" in key:
        raise PipelineError(place, 'a key holds no ".", ".." or empty part; write it out')
    if any("**" in part and part != "**" for part in key.split("/")):
        raise PipelineError(place, '"**" stands for whole folders, between slashes; within a name write "*"')
    if re.search(r"\?[\w-]+=", key):
        raise PipelineError(place, "an S3 URL has no query; name the bucket and the key alone")


def _positions(key: str) -> Iterable[int]:
    return [key.index(char) for char in "*?" if char in key]


def _glob_matches(glob: list[str], key: list[str]) -> bool:
    """Folder by folder, following every possible position at once: no input makes it slow."""
    positions = {0}
    for part in glob:
        if part == "**":
            positions = set(range(min(positions), len(key) + 1))
        else:
            pattern = part.replace("[", "[[]")  # fnmatch knows sets of characters, our globs don't
            positions = {at + 1 for at in positions if at < len(key) and fnmatchcase(key[at], pattern)}
        if not positions:
            return False
    return len(key) in positions


def _example(rules: SourceRules) -> str:
    return f'"{rules.allowed_prefixes[0]}orders.ndjson"' if rules.allowed_prefixes else '"s3://bucket/key"'


def _remedy(rules: SourceRules) -> str:
    allowed = " or ".join(f'"{prefix}"' for prefix in rules.allowed_prefixes)
    sample = ', or say "test" for a hundred made-up records' if rules.sample_allowed else ""
    return f"put the object there with POST /api/uploads and name it below {allowed}{sample}"
