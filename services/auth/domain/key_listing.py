"""What is told about the keys: names, states and times, never a key."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.auth.domain.key_ring import KeyRing, KeyState, RingTiming

ListedState: TypeAlias = KeyState | Literal["published"]


@dataclass(frozen=True, slots=True)
class ListedKey:
    """Times are Unix seconds; None: not known, or not yet. State `published`: a setting says no more of it."""

    kid: str
    alg: str
    state: ListedState
    published_at: float | None = None
    signs_from: float | None = None
    signs_until: float | None = None
    distrusted_at: float | None = None
    goes_at: float | None = None


def list_ring(ring: KeyRing, now: float, timing: RingTiming) -> tuple[ListedKey, ...]:
    """In the order of their publication."""
    return tuple(
        ListedKey(
            kid=key.kid,
            alg=key.alg,
            state=ring.state(key, now),
            published_at=key.published_at_ms / 1000,
            signs_from=_seconds(key.signs_from_ms),
            signs_until=_seconds(key.signs_until_ms),
            distrusted_at=_seconds(key.distrusted_at_ms),
            goes_at=key.goes_at(timing),
        )
        for key in ring.keys
    )


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
