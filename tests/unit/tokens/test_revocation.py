"""Which revocation ends which token, and when memory may be believed."""

import math
import tracemalloc
from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unavailable
from shared.ids import new_id
from shared.tokens.claims import LAST_SECOND, Claims, Parent
from shared.tokens.revocation import EVERYTHING, Issued, Kind, Revocation, RevokedSet, Target, targets_of
from shared.tokens.revocation_keys import from_member, from_row, row_key, to_member, to_row
from shared.tokens.revocation_status import RevocationStatus, RevocationUnknown

ISSUED = 1000
EXPIRES = 1900
CLAIMS = Claims(
    "iss", "usr_1", ("mayfly",), "cli_1", "tok_1", ISSUED, None, EXPIRES, frozenset(), "ses_1", (), (), None, "key_1"
)


def revoked_by(*revocations: Revocation, claims: Claims = CLAIMS) -> bool:
    known = RevokedSet()
    for revocation in revocations:
        known.add(revocation)
    return known.is_revoked(claims)


def revocation(kind: Kind, value: str, not_before: int = ISSUED, expires_at: int = EXPIRES) -> Revocation:
    return Revocation(Target(kind, value), not_before, expires_at)


def test_nothing_is_revoked_at_first() -> None:
    assert not revoked_by()


@pytest.mark.parametrize("target", targets_of(CLAIMS))
def test_each_kind_ends_its_tokens(target: Target) -> None:
    assert revoked_by(revocation(*target))
    assert not revoked_by(revocation(target.kind, "other"))


CHILD = CLAIMS._replace(
    jti="tok_2",
    client_id="cli_2",
    kid="key_2",
    iat=ISSUED + 100,
    parents=(Parent("tok_1", "cli_1", ISSUED, "key_1"), Parent("tok_0", "cli_0", ISSUED - 100, "key_0")),
)


@pytest.mark.parametrize("target", targets_of(CHILD))
def test_what_a_token_was_exchanged_from_ends_it_too(target: Target) -> None:
    """Also where the revocation reaches the parent's second alone: nothing of a parent outlives it."""
    reach = ISSUED + 100 if target.value in {"tok_2", "cli_2", "key_2"} else ISSUED
    assert revoked_by(revocation(*target, not_before=reach), claims=CHILD)
    assert not revoked_by(revocation(target.kind, "other"), claims=CHILD)


@pytest.mark.parametrize("target", [Target("client", "cli_1"), Target("user", "usr_1"), EVERYTHING])
def test_a_parent_that_was_issued_later_is_not_ended(target: Target) -> None:
    assert not revoked_by(revocation(*target, not_before=ISSUED - 101), claims=CHILD)


def test_a_set_tells_what_it_knows_of_a_kind() -> None:
    known = RevokedSet()
    for value in ("a", "b"):
        known.add(revocation("jti", value))
    assert sorted(known.values("jti")) == ["a", "b"]
    assert known.values("sid") == []


@pytest.mark.parametrize("kind", ["jti", "sid", "key"])
def test_a_token_a_session_or_a_key_ends_for_good(kind: Kind) -> None:
    value = dict(targets_of(CLAIMS))[kind]
    assert revoked_by(revocation(kind, value, not_before=0))


@pytest.mark.parametrize("kind", ["user", "client", "all"])
def test_a_user_a_client_or_all_ends_what_was_issued_until_then(kind: Kind) -> None:
    value = dict(targets_of(CLAIMS))[kind]
    assert not revoked_by(revocation(kind, value, not_before=ISSUED - 1))
    assert revoked_by(revocation(kind, value, not_before=ISSUED))
    assert revoked_by(revocation(kind, value, not_before=ISSUED + 1))


@pytest.mark.parametrize("kind", ["user", "client", "all"])
def test_the_latest_not_before_holds_in_any_order(kind: Kind) -> None:
    value = dict(targets_of(CLAIMS))[kind]
    early, late = revocation(kind, value, ISSUED - 5), revocation(kind, value, ISSUED + 5)
    assert revoked_by(early, late)
    assert revoked_by(late, early)


def test_a_token_without_session_has_no_session_to_end() -> None:
    own = CLAIMS._replace(sid=None)
    assert not revoked_by(revocation("sid", "ses_1"), revocation("sid", "None"), claims=own)
    assert Target("sid", "ses_1") not in targets_of(own)
    assert revoked_by(revocation("client", "cli_1"), claims=own)


def test_of_all_that_apply_the_latest_holds() -> None:
    user, client = revocation("user", "usr_1", ISSUED - 5), revocation("client", "cli_1", ISSUED - 3)
    assert not revoked_by(user, client, revocation(*EVERYTHING, ISSUED - 1))
    assert revoked_by(user, client, revocation(*EVERYTHING, ISSUED))
    assert revoked_by(user, revocation("client", "cli_1", ISSUED), revocation(*EVERYTHING, ISSUED - 1))


def test_a_revocation_of_everything_is_forgotten_like_any_other() -> None:
    known = RevokedSet()
    known.add(revocation(*EVERYTHING, ISSUED + 5, EXPIRES))
    known.drop_expired(EXPIRES - 1)
    assert known.is_revoked(CLAIMS)
    known.drop_expired(EXPIRES)
    assert not known.is_revoked(CLAIMS)


def test_a_revocation_is_remembered_until_its_last_token_has_expired() -> None:
    known = RevokedSet()
    known.add(revocation("jti", "tok_1", expires_at=EXPIRES))
    known.add(revocation("user", "usr_1", expires_at=EXPIRES + 10))
    known.add(revocation("user", "usr_1", expires_at=EXPIRES - 10))
    known.drop_expired(EXPIRES - 0.001)
    assert len(known) == 2
    known.drop_expired(EXPIRES)
    assert len(known) == 1
    known.drop_expired(EXPIRES + 10)
    assert len(known) == 0


def test_a_hundred_thousand_take_twenty_megabytes_at_most() -> None:
    tracemalloc.start()
    known = RevokedSet()
    for _ in range(100_000):
        known.add(revocation("jti", new_id("tok"), 1_700_000_000, 1_700_000_900))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(known) == 100_000
    assert taken <= 20_000_000


revocations = st.builds(
    Revocation,
    st.builds(Target, st.sampled_from(get_args(Kind)), st.text(min_size=1)),
    st.integers(0, LAST_SECOND),
    st.integers(0, LAST_SECOND),
)


@given(revocations)
def test_a_revocation_comes_back_as_it_was_written(written: Revocation) -> None:
    assert from_member(to_member(written), written.expires_at) == written
    assert from_member(to_member(written), str(written.expires_at)) == written
    assert from_row(to_row(written, revoked_at_ms=1)) == written
    assert to_row(written, revoked_at_ms=1)["target"] == {"S": row_key(written.target)}


@pytest.mark.parametrize("member", ["", "jti", "jti|1", "sun|1|k", "jti|x|tok", "jti|-1|tok", "jti|999999999999|tok"])
def test_what_is_no_revocation_is_not_read_as_one(member: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_member(member, 1)


@pytest.mark.parametrize("expires_at", ["x", -1, "-2", 1e15])
def test_an_expiry_that_is_no_time_is_not_read_as_one(expires_at: float | str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_member("jti|1|tok", expires_at)


@given(st.lists(revocations))
def test_a_set_knows_the_last_second_that_each_target_was_revoked_up_to(heard: list[Revocation]) -> None:
    known = RevokedSet()
    for one in heard:
        known.add(one)
    for target in {one.target for one in heard}:
        assert known.not_before(target) == max(one.not_before for one in heard if one.target == target)
    assert known.not_before(Target("user", "")) == -1


class Heard:
    def __init__(self, staleness: float, *known: Revocation) -> None:
        self.revoked = RevokedSet()
        self._staleness = staleness
        for one in known:
            self.revoked.add(one)

    def staleness(self, now_monotonic: float) -> float:
        return self._staleness


class Truth:
    def __init__(self, *revocations: Revocation, down: bool = False) -> None:
        self._revocations = revocations
        self._down = down
        self.asked: list[Target] = []

    async def read(self, targets: Sequence[Target]) -> list[Revocation]:
        self.asked.extend(targets)
        if self._down:
            raise Unavailable("down")
        return [one for one in self._revocations if one.target in targets]


async def ends(feed: Heard, truth: Truth) -> bool:
    """Whether a status of this feed and this truth says that CLAIMS are revoked, at once or later."""
    told = RevocationStatus(feed, truth, max_staleness_seconds=2.0).is_revoked(CLAIMS)
    return told if isinstance(told, bool) else await told


async def test_fresh_memory_is_believed_and_nobody_is_asked() -> None:
    truth = Truth(revocation("jti", "tok_1"))
    assert not await ends(Heard(2.0), truth)
    assert await ends(Heard(2.0, revocation("jti", "tok_1")), truth)
    assert truth.asked == []


@pytest.mark.parametrize("staleness", [2.001, math.inf])
async def test_stale_memory_asks_for_the_truth(staleness: float) -> None:
    truth = Truth()
    assert not await ends(Heard(staleness), truth)
    assert set(truth.asked) == set(targets_of(CLAIMS))


@pytest.mark.parametrize("target", targets_of(CLAIMS))
async def test_the_truth_ends_tokens_that_memory_knows_nothing_of(target: Target) -> None:
    assert await ends(Heard(math.inf), Truth(revocation(*target)))


async def test_what_is_known_to_be_revoked_stays_so_without_asking() -> None:
    truth = Truth(down=True)
    assert await ends(Heard(math.inf, revocation("sid", "ses_1")), truth)
    assert truth.asked == []


async def test_what_nobody_can_tell_is_unknown() -> None:
    with pytest.raises(RevocationUnknown) as unknown:
        await ends(Heard(math.inf), Truth(down=True))
    assert (unknown.value.status, unknown.value.retry_after_seconds) == (503, 1)


@pytest.mark.parametrize("kind", ["user", "client", "all"])
def test_what_was_issued_up_to_a_second_is_ended(kind: Kind) -> None:
    known, target = RevokedSet(), Target(kind, "x")
    assert not known.ends(Issued(target, 0))
    known.add(Revocation(target, ISSUED, EXPIRES))
    assert [known.ends(Issued(target, at)) for at in (ISSUED, ISSUED + 1)] == [True, False]


@pytest.mark.parametrize("kind", ["jti", "sid", "key"])
def test_some_end_for_good_whenever_it_was_issued(kind: Kind) -> None:
    known, target = RevokedSet(), Target(kind, "x")
    assert not known.ends(Issued(target, 0))
    known.add(Revocation(target, ISSUED, EXPIRES))
    assert known.ends(Issued(target, ISSUED + 1))


ASKED = (Issued(Target("user", "usr_1"), ISSUED), Issued(Target("key", "key_1"), ISSUED))


async def ends_any(feed: Heard, truth: Truth) -> bool:
    return await RevocationStatus(feed, truth, max_staleness_seconds=2.0).ends_any(ASKED)


@pytest.mark.parametrize("asked", ASKED)
async def test_what_is_asked_for_by_its_targets_is_ended_by_memory_or_the_truth(asked: Issued) -> None:
    known, fresh = revocation(*asked.target), Truth(down=True)
    assert await ends_any(Heard(math.inf, known), fresh)
    assert not await ends_any(Heard(2.0), fresh)
    assert fresh.asked == []
    assert await ends_any(Heard(math.inf), Truth(known))
    assert not await ends_any(Heard(math.inf), truth := Truth(revocation("sid", "ses_1")))
    assert truth.asked == [each.target for each in ASKED]


async def test_what_is_asked_for_by_its_targets_is_unknown_where_nobody_can_tell() -> None:
    with pytest.raises(RevocationUnknown):
        await ends_any(Heard(2.001), Truth(down=True))
