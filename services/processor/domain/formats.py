"""Which forms records come in and go out, and how a form is told by an object's name or its first bytes."""

import re
from dataclasses import dataclass
from typing import Literal

Compression = Literal["none", "gzip", "zstd"]
COMPRESSIONS: tuple[Compression, ...] = ("none", "gzip", "zstd")
_SUFFIXES: dict[Compression, str] = {"gzip": ".gz", "zstd": ".zst"}
_CONTENT_TYPES: dict[Compression, str] = {"gzip": "application/gzip", "zstd": "application/zstd"}
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPED_BY_ZSTD = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_PARQUET_MAGIC = b"PAR1"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    suffixes: tuple[str, ...]
    content_type: str
    packs_itself: bool = False
    """Whether compression is part of the format, so that none comes around it."""


JSON = Format("json", (".json",), "application/json")
NDJSON = Format("ndjson", (".ndjson", ".jsonl"), "application/x-ndjson")
CSV = Format("csv", (".csv",), "text/csv; charset=utf-8")
PARQUET = Format("parquet", (".parquet",), "application/vnd.apache.parquet", packs_itself=True)
FORMATS = {known.name: known for known in (JSON, NDJSON, CSV, PARQUET)}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A format and how its bytes are packed."""

    format: Format
    compression: Compression

    @property
    def suffix(self) -> str:
        """The end of an object's name: `.ndjson.gz`."""
        return self.format.suffixes[0] + _SUFFIXES.get(self.compression, "")

    @property
    def content_type(self) -> str:
        """A compressed object is a packed file to S3: no client should unpack it behind the reader's back."""
        return _CONTENT_TYPES.get(self.compression, self.format.content_type)

    def to_json(self) -> dict[str, str]:
        return {"format": self.format.name, "compression": self.compression}


ROWS = Encoding(PARQUET, "none")
"""How rows lie between two stages."""


def encoding_from_json(encoding: dict[str, str]) -> Encoding:
    """The other way of `Encoding.to_json`, for a plan that we wrote ourselves."""
    [compression] = [known for known in COMPRESSIONS if known == encoding["compression"]]
    return Encoding(FORMATS[encoding["format"]], compression)


def compression_of(name: str, first_bytes: bytes) -> Compression:
    """What the bytes say; the name decides for an object without any."""
    if first_bytes.startswith(_GZIP_MAGIC):
        return "gzip"
    if first_bytes.startswith(_ZSTD_MAGIC) or _SKIPPED_BY_ZSTD.match(first_bytes):
        return "zstd"
    named = next((known for known, suffix in _SUFFIXES.items() if name.lower().endswith(suffix)), None)
    return named if named and not first_bytes else "none"


def format_by_name(name: str) -> Format | None:
    plain = name.lower()
    for suffix in _SUFFIXES.values():
        plain = plain.removesuffix(suffix)
    return next((known for known in FORMATS.values() if plain.endswith(known.suffixes)), None)


def format_by_content(first_plain_bytes: bytes) -> Format | None:
    """By Parquet's magic, or the first byte that is no space: an array, an object, else commas in the first line."""
    if is_parquet(first_plain_bytes):
        return PARQUET
    start = first_plain_bytes.removeprefix(_BOM).lstrip()
    if start.startswith(b"["):
        return JSON
    if start.startswith(b"{"):
        return NDJSON
    return CSV if b"," in start.split(b"\n", 1)[0] else None


def is_parquet(first_bytes: bytes) -> bool:
    return first_bytes.startswith(_PARQUET_MAGIC)
