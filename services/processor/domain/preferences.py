"""The header `Prefer` (RFC 7240): whether a client waits for the result, and how long."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WAIT = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Preference:
    """`applied` is what the header `Preference-Applied` says, None where the client said nothing that counts."""

    wait_seconds: float
    applied: str | None


def parse_prefer(raw_values: Sequence[str], *, default_seconds: float, most_seconds: int) -> Preference:
    """`respond-async` alone means: do not wait at all. With `wait=N`: wait for so long, then answer 202.

    A preference is a wish: one that is not known or not understood is ignored, a wait that is too long is cut.
    """
    preferences = [part.split(";")[0].strip() for value in raw_values for part in value.split(",")]
    waits = [match for part in preferences if (match := _WAIT.fullmatch(part))]
    if waits:
        seconds = min(int(waits[0][1]), most_seconds)
        return Preference(seconds, f"wait={seconds}")
    if any(part.lower() == "respond-async" for part in preferences):
        return Preference(0, "respond-async")
    return Preference(default_seconds, None)
