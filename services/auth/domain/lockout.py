"""When the next try of a password may come. Delays grow, are bounded, and a stranger can't keep a user out for good."""

import ipaddress
from dataclasses import dataclass

_IPV6_NETWORK_BITS = 64
_MAX_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """Wrong passwords lately, and when the last one came (Unix seconds)."""

    count: int = 0
    last_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Attempts:
    """What is known about a user, an address, and both together.

    `known_address`: this user has logged in from this address lately.
    """

    pair: Tally
    user: Tally
    address: Tally
    known_address: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Wrong passwords that cost no delay yet, and the longest delay."""

    free_per_pair: int
    free_per_user: int
    free_per_address: int
    longest_delay_seconds: int


def wait_seconds(attempts: Attempts, limits: Limits, now: float) -> float:
    """How long to wait before the next try; 0: it may come now.

    What strangers did to the user from elsewhere does not count where the user has logged in before.
    """
    waits = [
        _wait(attempts.pair, limits.free_per_pair, limits, now),
        _wait(attempts.address, limits.free_per_address, limits, now),
    ]
    if not attempts.known_address:
        waits.append(_wait(attempts.user, limits.free_per_user, limits, now))
    return max(waits)


def counted_address(address: str) -> str:
    """What counts as one address: an IPv6 network of 64 bits belongs to one customer, IPv4 is taken as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:  # noqa: PLR2004 - IPv4
        return str(parsed)
    return str(ipaddress.ip_network((parsed, _IPV6_NETWORK_BITS), strict=False).network_address)


def _wait(tally: Tally, free: int, limits: Limits, now: float) -> float:
    if tally.count < free:
        return 0.0
    delay = min(float(limits.longest_delay_seconds), 2.0 ** min(tally.count - free, _MAX_DOUBLINGS))
    # Another instance's clock may be ahead: nobody waits longer than the delay.
    return max(0.0, min(delay, tally.last_at + delay - now))
