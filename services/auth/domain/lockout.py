"""When the next try of a password may come. Delays grow, are bounded, and a stranger can't keep a user out for good."""

import ipaddress
from dataclasses import dataclass

_IPV6_NETWORK_BITS = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """Wrong passwords that cost no delay yet, and the longest delay."""

    free_per_pair: int
    free_per_user: int
    free_per_address: int
    longest_delay_seconds: int

    @property
    def delays(self) -> tuple[int, ...]:
        """Seconds to the next try after as many wrong ones as are free, after one more, and so on; the last stays."""
        doublings = range((self.longest_delay_seconds - 1).bit_length())
        return (*(2**doubling for doubling in doublings), self.longest_delay_seconds)


USUAL_LIMITS = Limits(free_per_pair=5, free_per_user=20, free_per_address=50, longest_delay_seconds=60)


def counted_address(address: str) -> str:
    """What counts as one address: an IPv6 network of 64 bits belongs to one customer, IPv4 is taken as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:  # noqa: PLR2004 - IPv4
        return str(parsed)
    return str(ipaddress.ip_network((parsed, _IPV6_NETWORK_BITS), strict=False).network_address)
