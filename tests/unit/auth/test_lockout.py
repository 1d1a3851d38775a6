import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.lockout import USUAL_LIMITS, Limits, counted_address


def test_the_delay_doubles_up_to_a_minute() -> None:
    assert USUAL_LIMITS.delays == (1, 2, 4, 8, 16, 32, 60)


@given(longest=st.integers(1, 3600))
def test_delays_grow_and_the_longest_is_the_last(longest: int) -> None:
    delays = Limits(5, 20, 50, longest).delays
    assert list(delays) == sorted(set(delays))
    assert (delays[0], delays[-1]) == (1, longest)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("unknown", "unknown"),
        ("", "unknown"),
        ("192.0.2.7:80", "unknown"),
    ],
)
def test_what_counts_as_one_address(address: str, counted: str) -> None:
    assert counted_address(address) == counted
