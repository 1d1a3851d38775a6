"""Which forms records come in and go out, and how a form is told by an object's name or its first bytes."""

from dataclasses import dataclass
from typing import Literal

Compression = Literal["none", "gzip"]
COMPRESSIONS: tuple[Compression, ...] = ("none", "gzip")
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_SUFFIX = ".gz"
_PARQUET_MAGIC = b"PAR1"
_PARQUET_END_BYTES = 8
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
        return self.format.suffixes[0] + (_GZIP_SUFFIX if self.compression == "gzip" else "")

    @property
    def content_type(self) -> str:
        """A compressed object is a gzip file to S3: no client should unpack it behind the reader's back."""
        return "application/gzip" if self.compression == "gzip" else self.format.content_type

    def to_json(self) -> dict[str, str]:
        return {"format": self.format.name, "compression": self.compression}


def encoding_from_json(encoding: dict[str, str]) -> Encoding:
    """The other way of `Encoding.to_json`, for a plan that we wrote ourselves."""
    return Encoding(FORMATS[encoding["format"]], "gzip" if encoding["compression"] == "gzip" else "none")


def compression_of(name: str, first_bytes: bytes) -> Compression:
    """What the bytes say; the name decides for an object without any."""
    if first_bytes:
        return "gzip" if first_bytes.startswith(_GZIP_MAGIC) else "none"
    return "gzip" if name.lower().endswith(_GZIP_SUFFIX) else "none"


def format_by_name(name: str) -> Format | None:
    plain = name.lower().removesuffix(_GZIP_SUFFIX)
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


def footer_bytes(last_bytes: bytes) -> int:
    """How many of a Parquet's last bytes its footer takes, with the length and the magic behind it."""
    return int.from_bytes(last_bytes[-_PARQUET_END_BYTES:-4], "little") + _PARQUET_END_BYTES
