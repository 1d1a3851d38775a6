from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.access_tokens import issue_second
from services.auth.domain.problems import JustRevoked
from services.auth.domain.revocations import Guard, ends_session, targets_of_session
from services.auth.domain.sessions import (
    FIRST_PARTY_CLIENT,
    Lifetimes,
    Origin,
    Session,
    may_be_session_id,
    start_session,
)
from services.auth.domain.users import User
from shared.errors import ValidationFailed
from shared.tokens.claims import MAX_LIFETIME_SECONDS
from shared.tokens.revocation import EVERYTHING, Kind, Revocation, RevokedSet, Target

NOW = 1_800_000_000
LIFETIMES = Lifetimes(access_seconds=900, session_seconds=3_000_000, grace_seconds=10)
GUARD = Guard(LIFETIMES, clock_skew_seconds=5)
USER = User("user_ada", "ada", "hash", ("user",), ("read",))


def _session(issued_at: int = NOW) -> Session:
    session, _ = start_session(
        USER,
        Origin("192.0.2.7", "test"),
        client_id=FIRST_PARTY_CLIENT,
        scope=frozenset({"jobs:read"}),
        issued_at=issued_at,
        token_id="tok_1",
        lifetimes=LIFETIMES,
        now=NOW,
    )
    return session


def test_a_sessions_revocation_outlives_its_last_token() -> None:
    session = _session()
    revocation = GUARD.of_session(session, NOW + 100)
    assert revocation.target == Target("sid", session.session_id)
    assert revocation.expires_at > NOW + 100 + LIFETIMES.access_seconds + LIFETIMES.grace_seconds + 5


def test_a_sessions_revocation_outlives_a_token_of_an_instance_with_other_settings() -> None:
    session = _session()
    short = Guard(Lifetimes(30, 60, 0), clock_skew_seconds=5)
    assert short.of_session(session, NOW).expires_at > session.tokens_expire_at + 5


@pytest.mark.parametrize("kind", ["user", "client", "all"])
def test_a_users_revocation_outlives_every_session(kind: Kind) -> None:
    revocation = GUARD.of_target(Target(kind, "x"), NOW + 0.9)
    assert revocation.not_before == NOW
    assert revocation.expires_at > NOW + LIFETIMES.session_seconds + 5


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_revocation_by_name_outlives_every_token(kind: Kind) -> None:
    short = Guard(Lifetimes(30, 60, 0), clock_skew_seconds=5)
    assert short.of_target(Target(kind, "x"), NOW).expires_at > NOW + MAX_LIFETIME_SECONDS + 5


@pytest.mark.parametrize("kind", ["user", "client", "all"])
def test_what_was_issued_up_to_an_earlier_second_can_be_revoked(kind: Kind) -> None:
    revocation = GUARD.of_target(Target(kind, "x"), NOW + 0.9, NOW - 3600)
    assert revocation.not_before == NOW - 3600
    assert revocation.expires_at == GUARD.of_target(Target(kind, "x"), NOW + 0.9).expires_at


@pytest.mark.parametrize(("kind", "second"), [("user", NOW + 1), ("jti", NOW), ("sid", NOW), ("key", NOW)])
def test_a_second_that_makes_no_sense_is_refused(kind: Kind, second: int) -> None:
    with pytest.raises(ValidationFailed, match="not_before"):
        GUARD.of_target(Target(kind, "x"), NOW + 0.9, second)


def test_a_keys_revocation_is_kept_for_years() -> None:
    """Who has stolen the key goes on signing."""
    assert GUARD.of_target(Target("key", "k"), NOW).expires_at > NOW + 5 * 365 * 86_400


def test_a_revocation_ends_the_sessions_that_began_up_to_its_second() -> None:
    revocation = Revocation(Target("user", "user_ada"), NOW, NOW + 9)
    assert ends_session([revocation], _session(NOW))
    assert not ends_session([revocation], _session(NOW + 1))
    assert not ends_session([], _session())


def test_a_revocation_of_the_session_itself_ends_it_whenever_it_began() -> None:
    session = _session(NOW + 1000)
    assert ends_session([Revocation(Target("sid", session.session_id), NOW, NOW + 9)], session)


def test_a_session_can_be_ended_by_four_names() -> None:
    session = _session()
    kinds = {target.kind: target.value for target in targets_of_session(session)}
    assert kinds == {"sid": session.session_id, "user": "user_ada", "client": "mayfly-login", "all": "*"}


def _together(known: int, wanted: int, kind: Kind = "user") -> Revocation:
    target = Target(kind, "x")
    return Revocation(target, wanted, NOW + 40).together_with(Revocation(target, known, NOW + 50))


def test_a_later_revocation_reaches_further() -> None:
    assert _together(NOW - 10, NOW).not_before == NOW


def test_a_revocation_never_takes_an_older_one_back() -> None:
    merged = _together(NOW + 100, NOW)
    assert (merged.not_before, merged.expires_at) == (NOW + 100, NOW + 50)


def test_a_token_is_issued_after_what_is_revoked() -> None:
    assert issue_second(NOW + 0.5, -1) == NOW
    assert issue_second(NOW + 0.5, NOW - 1) == NOW
    assert issue_second(NOW + 0.5, NOW) == NOW + 1
    assert issue_second(NOW + 0.5, NOW + 1) == NOW + 2
    with pytest.raises(JustRevoked):
        issue_second(NOW + 0.5, NOW + 2)


_ACTS = st.sampled_from(["login", "user", "client", "all"])


@given(st.lists(st.tuples(_ACTS, st.floats(0, 0.7)), max_size=30))
def test_a_revocation_ends_all_that_was_issued_before_it(acts: list[tuple[str, float]]) -> None:
    """However revocations of all kinds and logins follow one another, within one second or over several."""
    now, revoked, issued = float(NOW), RevokedSet(), list[int]()
    targets = {"user": Target("user", "x"), "client": Target("client", "y"), "all": EVERYTHING}
    for act, seconds in acts:
        now += seconds
        if act == "login":
            second = issue_second(now, max(map(revoked.not_before, targets.values())))
            now = max(now, second)  # whoever issues a token waits for its second
            issued.append(second)
        else:
            revoked.add(GUARD.of_target(targets[act], now))
            assert all(second <= revoked.not_before(targets[act]) for second in issued)


@pytest.mark.parametrize(
    "text", ["", "ses_", "x" * 3000, "ses_" + "A" * 26, "ses_" + "a" * 27, "ses_" + "a" * 26 + "\n"]
)
def test_what_can_be_no_session_id_is_not_asked_for(text: str) -> None:
    assert not may_be_session_id(text)
    assert may_be_session_id(_session().session_id)


def test_a_session_is_alive_until_it_ends_or_expires() -> None:
    session = _session()
    assert session.is_alive(session.expires_at - 1)
    assert not session.is_alive(session.expires_at)
