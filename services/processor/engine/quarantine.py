"""Records that were left out, as their owner gets them back: NDJSON with each record as it was, and why."""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from services.processor.engine.files import PlainFile
from services.processor.engine.formats.raw_records import RawRecord
from services.processor.engine.rejects import Reject


def in_step(raws: Iterable[RawRecord], rejects: Iterator[Reject]) -> Iterator[tuple[RawRecord, Reject | None]]:
    """Each record, with why it was left out, if it was; both come in order."""
    reject = next(rejects, None)
    for raw in raws:
        is_out = reject is not None and reject.record == raw.number
        yield raw, reject if is_out else None
        if is_out:
            reject = next(rejects, None)


def text_line(file: PlainFile, reject: Reject, raw: RawRecord) -> str:
    """`byte` is where the record begins in the object, unpacked, and `bytes` how long it is."""
    content = raw.content.removesuffix(b"\r")
    place = {"byte": raw.byte + file.shift, "bytes": raw.size}
    try:
        return _line(file, reject, {**place, "raw": content.decode()})
    except UnicodeDecodeError:
        return _line(file, reject, {**place, "raw_base64": base64.b64encode(content).decode()})


def packed_line(file: PlainFile, reject: Reject, values: str) -> str:
    """Of a record that is not written as text: its values as JSON."""
    return _line(file, reject, {"raw": values})


def write_lines(lines: Iterable[str], path: Path) -> None:
    with path.open("w", encoding="utf-8") as target:
        target.writelines(lines)


def _line(file: PlainFile, reject: Reject, more: dict[str, object]) -> str:
    said: dict[str, object] = {"object": file.name, "record": file.before + reject.record}
    if file.start:
        said["from_byte"] = file.start
    if reject.column is not None:
        said["column"] = reject.column
    return json.dumps({**said, "reason": reject.reason, **more}, ensure_ascii=False, separators=(",", ":")) + "\n"
