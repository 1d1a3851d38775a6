"""As one writes it first, and as the document that Mayfly began with did: all records at once, in a loop."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from benchmarks.load.peers import stopwatch


def work(kind: str, pipeline: str, content: bytes) -> bytes:
    records = _READERS[kind](content)
    if pipeline == "filter":
        kept = [one for one in records if one["status"] == stopwatch.STATUS and float(one["amount"]) > stopwatch.AMOUNT]
    else:
        sums, counts = defaultdict[str, float](float), defaultdict[str, int](int)
        for one in records:
            sums[one["country"]] += float(one["amount"])
            counts[one["country"]] += 1
        kept = [{"country": key, "revenue": sums[key], "orders": counts[key]} for key in sorted(sums)]
    return _written(kind, kept)


def _written(kind: str, records: list[dict[str, Any]]) -> bytes:
    if kind == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, records[0])
        writer.writeheader()
        writer.writerows(records)
        return text.getvalue().encode()
    if kind == "json":
        return json.dumps(records).encode()
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


_READERS: dict[str, Callable[[bytes], list[dict[str, Any]]]] = {
    "csv": lambda content: list(csv.DictReader(io.StringIO(content.decode()))),
    "json": json.loads,
    "ndjson": lambda content: [json.loads(line) for line in content.splitlines()],
}

if __name__ == "__main__":
    stopwatch.run(work)
