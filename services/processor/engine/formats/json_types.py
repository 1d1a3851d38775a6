"""Which type holds a JSON value as it is, and which one holds two."""

from collections import Counter

_INT64 = range(-(2**63), 2**63)
_HUGE = 10**38
_NUMBERS = ("BIGINT", "HUGEINT", "DOUBLE")


def type_of(value: object) -> str | None:
    """The type that holds a value as it is; None for null, which fits any."""
    if value is None:
        return None
    if isinstance(value, list):
        return _list_type(value)
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int):
        return "BIGINT" if value in _INT64 else "HUGEINT" if abs(value) < _HUGE else "JSON"
    return "DOUBLE" if isinstance(value, float) else "VARCHAR" if isinstance(value, str) else "JSON"


def _list_type(values: list[object]) -> str | None:
    """A list of nothing but null may become any list."""
    merged: str | None = None
    for value in values:
        one = "JSON" if isinstance(value, list) else type_of(value)
        if one is None:
            continue
        if one == "JSON" or (merged is not None and _family(one) != _family(merged)):
            return "JSON"
        merged = merge_types(merged, one)
    return f"{merged}[]" if merged else "[]"


def merge_types(first: str | None, second: str | None) -> str | None:
    """The type for both; where there is none, the first stays, and the record that differs is found when it is read."""
    if first is None or second is None or first == second:
        return first or second
    if first in _NUMBERS and second in _NUMBERS:
        return max(first, second, key=_NUMBERS.index)
    if not first.endswith("[]"):
        return first
    element, other = first.removesuffix("[]"), second.removesuffix("[]")
    if second.endswith("[]") and (not element or not other or _family(element) == _family(other)):
        return f"{merge_types(element or None, other or None)}[]"
    return "JSON"


def _family(scalar_type: str) -> str:
    return "number" if scalar_type in _NUMBERS else scalar_type


class Guess:
    """The type of a column: `see` each value's."""

    def __init__(self) -> None:
        self._type: str | None = None

    def see(self, one: str | None) -> None:
        self._type = merge_types(self._type, one)

    @property
    def type(self) -> str | None:
        return None if self._type == "[]" else self._type


class GuessOfMost(Guess):
    """The type of most values, where the others are bad: so one that comes first makes no others so."""

    def __init__(self) -> None:
        super().__init__()
        self._guesses: dict[str, Guess] = {}
        self._seen: Counter[str] = Counter()

    def see(self, one: str | None) -> None:
        if one is not None:
            family = "nested" if one == "JSON" or one.endswith("[]") else _family(one)
            self._seen[family] += 1
            self._guesses.setdefault(family, Guess()).see(one)

    @property
    def type(self) -> str | None:
        return self._guesses[max(self._seen, key=lambda one: self._seen[one])].type if self._seen else None
