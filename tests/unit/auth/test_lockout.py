import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.lockout import Attempts, Limits, Tally, counted_address, wait_seconds

NOW = 1_800_000_000.0
LIMITS = Limits(free_per_pair=5, free_per_user=20, free_per_address=50, longest_delay_seconds=60)
NONE = Tally()


def _wait(
    *, pair: Tally = NONE, user: Tally = NONE, address: Tally = NONE, known: bool = False, now: float = NOW
) -> float:
    return wait_seconds(Attempts(pair, user, address, known_address=known), LIMITS, now)


def test_the_first_tries_cost_nothing() -> None:
    assert _wait(pair=Tally(4, NOW), user=Tally(19, NOW), address=Tally(49, NOW)) == 0


@pytest.mark.parametrize(("count", "delay"), [(5, 1), (6, 2), (7, 4), (8, 8), (10, 32), (11, 60), (10_000, 60)])
def test_the_delay_doubles_up_to_a_minute(count: int, delay: int) -> None:
    assert _wait(pair=Tally(count, NOW)) == delay
    assert _wait(pair=Tally(count, NOW), now=NOW + delay - 0.5) == 0.5
    assert _wait(pair=Tally(count, NOW), now=NOW + delay) == 0


def test_the_longest_of_the_waits_counts() -> None:
    assert _wait(pair=Tally(5, NOW), user=Tally(22, NOW), address=Tally(51, NOW)) == 4
    assert _wait(address=Tally(53, NOW)) == 8


def test_a_user_who_is_known_here_does_not_wait_for_what_strangers_did() -> None:
    assert _wait(user=Tally(1000, NOW), known=True) == 0
    assert _wait(user=Tally(1000, NOW), pair=Tally(6, NOW), known=True) == 2


@given(
    count=st.integers(0, 10**9),
    last_at=st.floats(0, 4e9, allow_nan=False),
    now=st.floats(0, 4e9, allow_nan=False),
    known=st.booleans(),
)
def test_nobody_ever_waits_longer_than_the_longest_delay(
    count: int, last_at: float, now: float, *, known: bool
) -> None:
    tally = Tally(count, last_at)
    wait = _wait(pair=tally, user=tally, address=tally, known=known, now=now)
    assert 0 <= wait <= LIMITS.longest_delay_seconds


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
