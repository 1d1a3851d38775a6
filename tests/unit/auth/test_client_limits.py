"""What a client may ask of one process, and how wrong secrets are counted."""

from services.auth.domain.lockout import Limits
from services.auth.stores.client_attempts import ClientAttempts
from services.auth.stores.request_budgets import RequestBudgets

LIMITS = Limits(free_per_pair=2, free_per_user=0, free_per_address=3, longest_delay_seconds=8)


def test_a_budget_is_what_a_second_gives_and_comes_back_with_time() -> None:
    budgets = RequestBudgets(2)
    assert [budgets.take("a", 10.0) for _ in range(3)] == [0, 0, 0.5]
    assert budgets.take("b", 10.0) == 0
    assert budgets.take("a", 10.5) == 0
    assert budgets.take("a", 10.6) > 0
    assert [budgets.take("a", 1000.0) for _ in range(3)] == [0, 0, 0.5]


def test_a_clock_that_is_set_back_takes_nothing_away() -> None:
    budgets = RequestBudgets(1)
    assert budgets.take("a", 10.0) == 0
    assert budgets.take("a", 5.0) == 1
    assert budgets.take("a", 6.0) == 0


def test_no_more_than_ten_thousand_are_remembered() -> None:
    budgets, attempts = RequestBudgets(1), ClientAttempts(LIMITS)
    for number in range(10_001):
        budgets.take(str(number), 0)
        attempts.count_failure(str(number), 0)
        attempts.remember(str(number))
    assert budgets.take("0", 0) == 0
    assert budgets.take("2", 0) > 0
    assert not attempts.has_proved("0")
    assert attempts.has_proved("1")


def test_delays_double_and_end() -> None:
    attempts = ClientAttempts(LIMITS)
    waits = []
    for _ in range(8):
        waits.append(attempts.wait("a", 100))
        attempts.count_failure("a", 100)
    assert waits == [0, 0, 1, 2, 4, 8, 8, 8]
    assert attempts.wait("a", 108) == 0
    assert attempts.wait("b", 101) > 0


def test_what_is_long_ago_is_forgotten() -> None:
    attempts = ClientAttempts(LIMITS)
    for _ in range(6):
        attempts.count_failure("a", 100)
    assert attempts.wait("a", 1001) == 0
    attempts.count_failure("a", 1001)
    assert attempts.wait("a", 1001) == 0
