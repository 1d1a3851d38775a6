"""How much a client may still ask of this process: a token bucket for each, in memory."""

from collections import OrderedDict

_MOST = 10_000


class RequestBudgets:
    """So many a second, and as many at once. Whoever has not asked for longest is forgotten, and has it all again."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, now: float) -> float:
        """0: one was taken. Otherwise none is left; there is one in so many seconds."""
        left, at = self._left.get(who, (float(self._per_second), now))
        left = min(float(self._per_second), left + max(0.0, now - at) * self._per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_second
        self._left[who] = (left if wait else left - 1, now)
        self._left.move_to_end(who)
        if len(self._left) > _MOST:
            self._left.popitem(last=False)
        return wait
