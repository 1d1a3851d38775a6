"""Clients that failed to prove who they are, counted in this process by client and address, and by address."""

from collections import OrderedDict

from services.auth.domain.lockout import Limits, counted_address
from shared.telemetry.context import bound

_FORGET_SECONDS = 900
_MOST = 10_000
_PAIR, _ADDRESS = "pair", "address"


class ClientAttempts:
    """A client that has proved itself from an address before is looked at in any case, when it comes from there.

    So a stranger can't lock a client out: not from elsewhere, and not from behind the same proxy. What is guarded is
    not the secret, which has 256 bits, but what a guess costs: a row that is read, an event that is recorded.
    """

    def __init__(self, limits: Limits) -> None:
        self._free = {_PAIR: limits.free_per_pair, _ADDRESS: limits.free_per_address}
        self._delays = limits.delays
        self._tallies: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
        self._proved: OrderedDict[str, None] = OrderedDict()

    def wait(self, client_id: str, now: float) -> float:
        """0: a wrong secret is answered as one. Otherwise it is in so many seconds."""
        if not self._tallies:
            return 0
        return max(self._wait(key, now) for key in self._keys(client_id))

    def has_proved(self, client_id: str) -> bool:
        """Whether this client has proved who it is from this address."""
        return self._pair(client_id) in self._proved

    def count_failure(self, client_id: str, now: float) -> None:
        for key in self._keys(client_id):
            count, at = self._tallies.pop(key, (0, now))
            self._tallies[key] = (1 if now - at > _FORGET_SECONDS else count + 1), now
        while len(self._tallies) > _MOST:
            self._tallies.popitem(last=False)

    def remember(self, client_id: str) -> None:
        """It has proved who it is, from here."""
        pair = self._pair(client_id)
        self._proved[pair] = None
        self._proved.move_to_end(pair)
        if len(self._proved) > _MOST:
            self._proved.popitem(last=False)

    def _wait(self, key: tuple[str, str], now: float) -> float:
        count, at = self._tallies.get(key, (0, now))
        beyond = count - self._free[key[0]]
        if beyond < 0 or now - at > _FORGET_SECONDS:
            return 0
        return max(0.0, at + self._delays[min(beyond, len(self._delays) - 1)] - now)

    def _keys(self, client_id: str) -> tuple[tuple[str, str], tuple[str, str]]:
        return (_PAIR, self._pair(client_id)), (_ADDRESS, _address())

    @staticmethod
    def _pair(client_id: str) -> str:
        return f"{_address()} {client_id}"


def _address() -> str:
    return counted_address(bound("address") or "")
