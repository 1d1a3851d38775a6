"""What one value may cost. The engine looks at its clock and its memory between 2,048 records, not within one value.

So the work in one value is bounded here: what is written out before a run, what only the records show while it runs.
"""

import re
from collections.abc import Sequence

_LONGEST_JOINED_BYTES = 16 << 10
_LONGEST_REPLACED = 1 << 20
_LONGEST_SOUGHT_BYTES = 1000
_LARGEST_PATTERN = 250
_MOST_MATCHING = 100_000_000
# These become parts of the engine's own errors: its function error() can't be tried again to find the record.
_WOULD_GROW = "the text would grow too long; replace less, or by something shorter"
_WOULD_JOIN = f"the text would grow too long; what is put together has at most {_LONGEST_JOINED_BYTES:,} bytes"
_TOO_LONG_TO_SEEK = f"the text to search for is too long; it has at most {_LONGEST_SOUGHT_BYTES:,} bytes"
_TOO_LONG_TO_MATCH = (
    "the text is too long for this regular expression; shorten the text by left(x, n), or the expression"
)
_TEXT = re.compile(r"'(?:[^']|'')*'")
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_COUNTED = re.compile(r"(\)?)\{(\d+)(?:,(\d*))?\}")


class PatternTooLarge(ValueError):  # noqa: N818 - an error states the fact
    """Its text says what is allowed."""


def is_text(sql: str) -> bool:
    """Whether it is a text written out, which is short: an expression is."""
    return _TEXT.fullmatch(sql) is not None


def joined(parts: Sequence[str], sql: str) -> str:
    """`sql`, which puts these parts together, where they are short enough. One part and constants need no look."""
    growing = [part for part in parts if not is_text(part)]
    if len(growing) < 2:  # noqa: PLR2004 - two can double
        return sql
    size = " + ".join(f"coalesce(strlen(CAST({part} AS VARCHAR)), 0)" for part in growing)
    return _unless(f"{size} > {_LONGEST_JOINED_BYTES}", _WOULD_JOIN, sql)


def balanced(parts: Sequence[str]) -> str:
    """A chain of `||` as a tree: the engine keeps what each one makes, and so keeps less."""
    if len(parts) == 1:
        return parts[0]
    half = (len(parts) + 1) // 2
    return f"({balanced(parts[:half])} || {balanced(parts[half:])})"


def replaced(text: str, by: str, sql: str) -> str:
    return _unless(f"length({text}) * (2 * length({by}) + 1) > {_LONGEST_REPLACED}", _WOULD_GROW, sql)


def sought(sql: str) -> str:
    """A value to search for: to compare it at each place of a text costs the product of both lengths."""
    if is_text(sql):
        return sql
    return _unless(f"strlen(CAST({sql} AS VARCHAR)) > {_LONGEST_SOUGHT_BYTES}", _TOO_LONG_TO_SEEK, sql)


def matched(text: str, pattern: str) -> str:
    """A text for a regular expression: at worst each of its characters meets each part of the pattern.

    Raises PatternTooLarge for a pattern that would be slow for every text.
    """
    size = _size(pattern)
    if size > _LARGEST_PATTERN:
        raise PatternTooLarge(f"a regular expression has at most {_LARGEST_PATTERN} parts, repetitions counted")
    return _unless(f"strlen({text}) > {_MOST_MATCHING // size}", _TOO_LONG_TO_MATCH, text)


def _size(pattern: str) -> int:
    """At least the parts of the pattern, with what it repeats written out. `)` before `{3}` repeats whole groups."""
    bare = _ATOM.sub("x", pattern)
    size, times = len(_COUNTED.sub(r"\1", bare)), 1
    for group, fewest, most in _COUNTED.findall(bare):
        count = max(int(fewest), int(most or 0), 1)
        size, times = (size, times * count) if group else (size + count, times)
    return max(1, size * times)


def _unless(condition: str, message: str, sql: str) -> str:
    """`sql`, of whatever type it is: no text is cast to NULL, and another fails as it is no number."""
    return f"(CASE WHEN CAST(CASE WHEN {condition} THEN '{message}' END AS BIGINT) IS NULL THEN {sql} END)"
