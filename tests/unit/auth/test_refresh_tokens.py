import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.oauth_errors import InvalidGrant
from services.auth.domain.refresh import RefreshToken, first_token, judge, repeat, rotate
from shared.ids import digest, new_id

SESSION = new_id("ses")
NOW = 1_800_000_000.0
GRACE = 10


def test_a_token_reads_back_as_it_was_written() -> None:
    token, _ = first_token(SESSION, NOW)
    assert RefreshToken.parse(str(token)) == token


def test_a_token_does_not_show_its_secret_in_a_log() -> None:
    token, _ = first_token(SESSION, NOW)
    assert token.secret not in repr(token)


@given(st.text())
def test_what_is_no_token_of_ours_is_an_invalid_grant(raw_token: str) -> None:
    with pytest.raises(InvalidGrant):
        RefreshToken.parse(raw_token)


@pytest.mark.parametrize("end", ["\n", "=", ".", " ", "x"])
def test_a_token_with_something_behind_it_is_none(end: str) -> None:
    token, _ = first_token(SESSION, NOW)
    with pytest.raises(InvalidGrant):
        RefreshToken.parse(str(token) + end)


def test_only_hashes_are_stored() -> None:
    token, state = first_token(SESSION, NOW)
    assert state.current_hash == digest(token.secret)
    assert token.secret not in repr(state)


def test_the_current_token_is_current_however_old() -> None:
    token, state = first_token(SESSION, NOW)
    assert judge(token, state, GRACE, NOW + 1e9) == "current"


def test_the_predecessor_is_repeated_until_the_grace_ends() -> None:
    token, state = first_token(SESSION, NOW)
    _, state = rotate(token, state, NOW + 100)
    assert judge(token, state, GRACE, NOW + 110) == "repeated"
    assert judge(token, state, GRACE, NOW + 110.01) == "reused"


def test_without_a_grace_the_predecessor_is_reused_a_moment_later() -> None:
    token, state = first_token(SESSION, NOW)
    _, state = rotate(token, state, NOW)
    assert judge(token, state, 0, NOW + 0.01) == "reused"


def test_a_repeat_gives_the_very_successor() -> None:
    token, state = first_token(SESSION, NOW)
    successor, state = rotate(token, state, NOW)
    assert repeat(token, state) == successor
    assert judge(successor, state, GRACE, NOW) == "current"


@given(st.integers(2, 6))
def test_a_token_from_before_the_predecessor_is_reused_even_within_the_grace(generations: int) -> None:
    first, state = first_token(SESSION, NOW)
    token = first
    for _ in range(generations):
        token, state = rotate(token, state, NOW)
    assert judge(first, state, GRACE, NOW) == "reused"


@given(st.text(alphabet="ABCxyz019-_", min_size=65, max_size=65))
def test_a_made_up_secret_is_forged(secret: str) -> None:
    _, state = first_token(SESSION, NOW)
    assert judge(RefreshToken(SESSION, secret), state, GRACE, NOW) == "forged"


def test_a_token_of_another_session_is_forged() -> None:
    token, _ = first_token(SESSION, NOW)
    _, other_state = first_token(new_id("ses"), NOW)
    assert judge(RefreshToken(SESSION, token.secret), other_state, GRACE, NOW) == "forged"


def test_two_rotations_of_one_token_differ() -> None:
    token, state = first_token(SESSION, NOW)
    assert rotate(token, state, NOW)[0] != rotate(token, state, NOW)[0]
