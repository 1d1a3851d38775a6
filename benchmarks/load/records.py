"""The records that pipelines are measured with: orders, the same each time, in every format."""

import csv
import io
import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

_DISTINCT = 100_000  # beyond, they come again: what is read is as long, and is made sooner


def orders(kind: str, megabytes: int, folder: Path) -> bytes:
    """As many as make so many megabytes in this format; Parquet holds those of so many megabytes of NDJSON."""
    if kind == "parquet":
        return _parquet(orders("ndjson", megabytes, folder), folder)
    end = ",\n" if kind == "json" else "\n"
    chunk = "".join((_row(order) if kind == "csv" else json.dumps(order)) + end for order in _orders()).encode()
    often = max(1, megabytes * 1_000_000 // len(chunk))
    if kind == "json":
        return b"[" + (chunk * often)[:-2] + b"]\n"
    return (b"order_id,status,amount,country,note\n" if kind == "csv" else b"") + chunk * often


def _orders() -> Iterator[Mapping[str, object]]:
    dice = random.Random(1)  # noqa: S311 - the same data each time
    for number in range(_DISTINCT):
        yield {
            "order_id": number,
            "status": dice.choice(("paid", "open", "void")),
            "amount": round(dice.random() * 1000, 2),
            "country": dice.choice(("DE", "FR", "US", "JP")),
            "note": f"{dice.getrandbits(256):x}",
        }


def _row(order: Mapping[str, object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(order.values())
    return text.getvalue()


def _parquet(ndjson: bytes, folder: Path) -> bytes:
    source, target = folder / "orders.ndjson", folder / "orders.parquet"
    source.write_bytes(ndjson)
    duckdb.sql(f"COPY (FROM read_ndjson('{source}')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    content = target.read_bytes()
    source.unlink()
    target.unlink()
    return content
