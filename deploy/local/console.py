"""What the person at the terminal reads, line by line."""

import asyncio
import json
from pathlib import Path

_SHOWN_LEVELS = {"warning", "error", "critical"}
_LOOK_EVERY_SECONDS = 0.3
_LONGEST_LINE = 400


def say(text: str = "") -> None:
    print(text, flush=True)


def say_ready(name: str, seconds: float, address: str) -> None:
    say(f"  {name:<10} ready in {seconds:4.1f} s   {address}")


def say_of(name: str, text: str) -> None:
    say(f"  {name:<10} {text}")


async def show_warnings(name: str, log_file: Path) -> None:
    """Follows a service's JSON log from where it ends now, and shows its warnings and errors; never returns."""
    position = log_file.stat().st_size if log_file.exists() else 0  # noqa: ASYNC240 - a local file's metadata
    rest = b""
    while True:
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        new = _read_from(log_file, position)
        position += len(new)
        *lines, rest = (rest + new).split(b"\n")
        for line in lines:
            shown = warning_line(line)
            if shown is not None:
                say_of(name, shown)


def warning_line(log_line: bytes) -> str | None:
    """A log line as a person reads it, or None for what is below a warning or no JSON object."""
    try:
        record = json.loads(log_line)
    except ValueError:
        return None
    if not isinstance(record, dict) or record.get("level") not in _SHOWN_LEVELS:
        return None
    left_out = {"level", "event", "time", "logger", "request_id", "trace_id", "span_id", "exception"}
    fields = [f"{key}={value}" for key, value in record.items() if key not in left_out]
    last_of_trace = str(record.get("exception", "")).strip().rpartition("\n")[2]
    words = [record["level"], str(record.get("event")), *fields, last_of_trace]
    return " ".join(" ".join(words).split())[:_LONGEST_LINE]


def _read_from(log_file: Path, position: int) -> bytes:
    try:
        with log_file.open("rb") as log:
            log.seek(position)
            return log.read()
    except FileNotFoundError:
        return b""
