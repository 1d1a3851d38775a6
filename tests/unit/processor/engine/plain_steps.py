"""What the steps that look at all records mean, said once more over lists of dictionaries."""

from collections.abc import Callable
from typing import Any

Record = dict[str, Any]
Step = dict[str, Any]


def after(step: Step, records: list[Record]) -> list[Record]:
    [(name, arguments)] = step.items()
    return _STEPS[name](arguments, records)


def _sorted(by: list[str], records: list[Record]) -> list[Record]:
    for key in reversed(by):
        name = key.removeprefix("-")
        known = [record for record in records if record[name] is not None]
        unknown = [record for record in records if record[name] is None]
        known.sort(key=lambda record: record[name], reverse=key.startswith("-"))
        records = known + unknown
    return records


def _groups(by: list[str], records: list[Record]) -> dict[tuple[Any, ...], list[int]]:
    groups: dict[tuple[Any, ...], list[int]] = {}
    for at, record in enumerate(records):
        groups.setdefault(tuple(record[name] for name in by), []).append(at)
    return groups


def _deduplicated(arguments: Record, records: list[Record]) -> list[Record]:
    kept = []
    for places in _groups(arguments["by"], records).values():
        ordered = _sorted(arguments.get("order_by", []), [{**records[at], "at": at} for at in places])
        kept.append(ordered[0 if arguments["keep"] == "first" else -1]["at"])
    return [records[at] for at in sorted(kept)]


def _aggregated(arguments: Record, records: list[Record]) -> list[Record]:
    by = arguments.get("by", [])
    groups = _groups(by, records) if by else {(): list(range(len(records)))}
    made = [
        dict(zip(by, key, strict=True))
        | {name: _measure(call, [records[at] for at in places]) for name, call in arguments["measures"].items()}
        for key, places in groups.items()
    ]
    return _sorted(by, made)


def _measure(call: str, records: list[Record]) -> Any:  # noqa: ANN401 - of whatever type the column is
    function, _, argument = call.removesuffix(")").partition("(")
    if argument == "*":
        return len(records)
    values = [record[argument.removeprefix("DISTINCT ")] for record in records]
    if function in {"FIRST", "LAST"}:
        return values[0 if function == "FIRST" else -1]
    known = [value for value in values if value is not None]
    if function == "COUNT":
        return len(set(known) if argument.startswith("DISTINCT ") else known)
    return _OF_SOME[function](known) if known else None


_OF_SOME: dict[str, Callable[[list[Any]], Any]] = {"SUM": sum, "MIN": min, "MAX": max}
_STEPS: dict[str, Callable[[Any, list[Record]], list[Record]]] = {
    "sort": _sorted,
    "limit": lambda records, all_records: all_records[:records],
    "filter": lambda _, records: [record for record in records if record["c"] is not None and record["c"] > 0],
    "deduplicate": _deduplicated,
    "aggregate": _aggregated,
}
