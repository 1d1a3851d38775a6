"""Did you mean …? One way of saying it, for keys, columns, functions and formats."""

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_NAMES_LISTED = 12


def did_you_mean(unknown: str, known: Iterable[str]) -> str:
    """The end of a sentence that said what is unknown: the nearest known name, or all of them when none is near."""
    names = list(known)
    folded = {name.casefold(): name for name in names}
    near = get_close_matches(unknown.casefold()[:100], folded, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{folded[near[0]]}"?'
    listed = ", ".join(f'"{name}"' for name in names[:_MOST_NAMES_LISTED])
    return f"known: {listed}" + (", …" if len(names) > _MOST_NAMES_LISTED else "")
