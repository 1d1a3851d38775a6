import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.auth.domain.key_ring import (
    MOST_PUBLISHED,
    KeyRing,
    NoNextKey,
    NoSuchKey,
    RingKey,
    RingTiming,
    TooManyKeys,
)
from shared.tokens.claims import MAX_LIFETIME_SECONDS

NOW = 1_800_000_000.0
TIMING = RingTiming(lead_seconds=600, view_seconds=60, rotation_seconds=10_000, token_seconds=900, clock_skew_seconds=5)
BY_HAND = replace(TIMING, rotation_seconds=None)


def key(name: str, now: float = NOW) -> RingKey:
    return RingKey(name, "ES256", {"kid": name}, int(now * 1000), TIMING.token_seconds)


RING = KeyRing.begin(key("one"), key("two"))


def states(ring: KeyRing, now: float) -> dict[str, str]:
    return {each.kid: ring.state(each, now) for each in ring.keys}


def test_a_new_ring_signs_at_once_and_has_a_next_key() -> None:
    assert states(RING, NOW) == {"one": "active", "two": "next"}


def test_a_rotation_makes_the_next_key_active_and_the_active_one_retiring() -> None:
    ring = RING.rotated(NOW + 700, TIMING)
    assert states(ring, NOW + 700) == {"one": "retiring", "two": "active"}


def test_a_key_that_was_just_published_waits_until_every_verifier_has_it() -> None:
    ring = RING.rotated(NOW + 1, TIMING)
    assert states(ring, NOW + 599.9) == {"one": "active", "two": "next"}
    assert states(ring, NOW + 600) == {"one": "retiring", "two": "active"}


def test_a_rotation_that_is_under_way_is_not_begun_again() -> None:
    ring = RING.rotated(NOW + 1, TIMING)
    assert ring.rotated(NOW + 2, TIMING) is ring


def test_there_is_no_rotation_without_a_next_key() -> None:
    ring = RING.rotated(NOW + 700, TIMING)
    with pytest.raises(NoNextKey):
        ring.rotated(NOW + 701, TIMING)


def test_no_more_keys_are_rotated_than_verifiers_take() -> None:
    ring, now = RING, NOW
    while len(ring.published()) < MOST_PUBLISHED:
        now += 700
        ring = ring.rotated(now, TIMING).with_next(key(f"{now}", now))
    with pytest.raises(TooManyKeys):
        ring.rotated(now + 700, TIMING)
    assert ring.kept(now, replace(TIMING, rotation_seconds=1, token_seconds=900)).active(now) == ring.active(now)


def test_the_schedule_rotates_a_key_that_has_signed_for_its_time() -> None:
    assert RING.kept(NOW + 9_999, TIMING) == RING
    assert states(RING.kept(NOW + 10_000, TIMING), NOW + 10_000) == {"one": "retiring", "two": "active"}
    assert RING.kept(NOW + 1e9, BY_HAND) == RING


def test_a_schedule_without_a_next_key_waits_for_one() -> None:
    ring = RING.rotated(NOW + 700, TIMING)
    assert ring.kept(NOW + 1000, replace(TIMING, rotation_seconds=1)) == ring


def test_a_retiring_key_goes_when_its_last_token_has_expired_by_every_clock() -> None:
    ring = RING.rotated(NOW + 700, BY_HAND).with_next(key("three"))
    end = NOW + 700 + 60 + 900 + 2 * 5
    assert "one" in states(ring.kept(end - 0.01, BY_HAND), end)
    assert "one" not in states(ring.kept(end, BY_HAND), end)


def test_a_key_is_kept_for_the_longest_tokens_that_any_instance_signs() -> None:
    ring = RING.kept(NOW, replace(BY_HAND, token_seconds=5000)).kept(NOW, BY_HAND)
    ring = ring.rotated(NOW + 700, BY_HAND).with_next(key("three"))
    assert "one" in states(ring.kept(NOW + 700 + 5000, BY_HAND), NOW)
    assert "one" not in states(ring.kept(NOW + 700 + 5071, BY_HAND), NOW)


def test_a_key_that_signs_no_more_is_not_kept_longer_for_who_signs_now() -> None:
    ring = RING.rotated(NOW + 700, BY_HAND)
    assert ring.kept(NOW + 701, replace(BY_HAND, token_seconds=5000)).find("one").longest_token_seconds == 900


def test_distrusting_the_active_key_makes_the_next_one_active_at_once() -> None:
    ring = RING.distrusting("one", NOW + 1)
    assert states(ring, NOW + 1) == {"one": "distrusted", "two": "active"}
    assert [each.kid for each in ring.published()] == ["two"]
    assert states(ring, NOW - 1)["two"] == "active", "an instance whose clock is behind follows as well"


def test_distrusting_the_active_key_brings_a_planned_rotation_forward() -> None:
    ring = RING.rotated(NOW + 1, TIMING).distrusting("one", NOW + 2)
    assert states(ring, NOW + 2) == {"one": "distrusted", "two": "active"}


def test_the_only_key_can_not_be_distrusted_before_there_is_another() -> None:
    ring = RING.distrusting("one", NOW)
    with pytest.raises(NoNextKey):
        ring.distrusting("two", NOW)
    ring = ring.with_next(key("three")).distrusting("two", NOW)
    assert states(ring, NOW) == {"one": "distrusted", "two": "distrusted", "three": "active"}


def test_distrusting_the_next_key_leaves_the_active_one_signing() -> None:
    ring = RING.rotated(NOW + 1, TIMING).distrusting("two", NOW + 2)
    assert states(ring, NOW + 1e6) == {"one": "active", "two": "distrusted"}
    assert ring.next(NOW + 2) is None


def test_distrusting_a_retiring_key_changes_nothing_else() -> None:
    ring = RING.rotated(NOW + 700, TIMING).distrusting("one", NOW + 701)
    assert states(ring, NOW + 701) == {"one": "distrusted", "two": "active"}


def test_a_key_is_distrusted_once() -> None:
    ring = RING.distrusting("one", NOW)
    assert ring.distrusting("one", NOW + 5) is ring
    with pytest.raises(NoSuchKey):
        ring.distrusting("four", NOW)


def test_a_distrusted_key_is_remembered_until_all_that_it_could_sign_has_expired() -> None:
    ring = RING.distrusting("one", NOW).with_next(key("three"))
    end = NOW + MAX_LIFETIME_SECONDS + 5
    assert "one" in states(ring.kept(end - 0.01, BY_HAND), end)
    assert "one" not in states(ring.kept(end, BY_HAND), end)


def test_whoever_has_not_prepared_the_active_key_signs_a_little_longer_with_the_last_one() -> None:
    ring = RING.rotated(NOW + 700, TIMING)
    assert [each.kid for each in ring.signers(NOW + 759, 60)] == ["two", "one"]
    assert [each.kid for each in ring.signers(NOW + 760, 60)] == ["two"]


@given(
    view_age=st.floats(0, TIMING.view_seconds),
    signers=st.floats(-2.5, 2.5),
    verifiers=st.floats(-2.5, 2.5),
    droppers=st.floats(-2.5, 2.5),
    writers=st.floats(-2.5, 2.5),
)
def test_the_last_token_of_the_slowest_instance_finds_its_key(
    view_age: float, signers: float, verifiers: float, droppers: float, writers: float
) -> None:
    """Each has a clock of its own. The signer has not seen the rotation yet; the verifier looks at the last moment."""
    rotated_at = NOW + 700
    ring = RING.rotated(rotated_at + writers, BY_HAND)
    expiry = rotated_at + view_age + signers + BY_HAND.token_seconds
    last_look = expiry - verifiers - 0.01
    assert "one" in states(ring.kept(last_look + droppers, BY_HAND), last_look)


def test_a_ring_says_how_long_its_signers_stay_the_same() -> None:
    ring, now = RING.rotated(NOW + 1, TIMING), NOW + 1
    assert RING.changes_at(NOW, 60) == math.inf
    for change in (NOW + 600, NOW + 660):
        assert ring.changes_at(now, 60) == change
        assert ring.signers(now, 60) == ring.signers(change - 0.01, 60) != ring.signers(change, 60)
        now = change
    assert ring.changes_at(now, 60) == math.inf


class Instances(RuleBasedStateMachine):
    """Three instances with clocks of their own share a stored ring, and look at it when they happen to.

    They keep it, rotate it and distrust keys in any order. Whatever they do: one key is active; it was published long
    enough, but in an emergency; and no token outlives its key.
    """

    def __init__(self) -> None:
        super().__init__()
        # Short and close to each other, so that chance finds what happens at their edges.
        self.timing = RingTiming(4, 8, 50, 10, 4)
        self.time = NOW
        self.stored = KeyRing.begin(key("first"), key("second"))
        self.views = [(self.stored, self.time)] * 3
        self.tokens: list[tuple[str, float]] = []
        self.unannounced = {"first"}
        self.made = 0

    def clock(self, instance: int) -> float:
        return self.time + (instance - 1) * self.timing.clock_skew_seconds / 2

    def store(self, instance: int, changed: KeyRing) -> None:
        """The conditional write: only upon the ring that the instance has seen."""
        seen, _ = self.views[instance]
        if seen.version == self.stored.version and changed != seen:
            self.stored = replace(changed, version=seen.version + 1)
            self.views[instance] = self.stored, self.time

    @rule(seconds=st.sampled_from([0.5, 1, 3, 7.5, 20]))
    def time_goes_by(self, seconds: float) -> None:
        self.time += seconds

    @rule(instance=st.integers(0, 2))
    def look(self, instance: int) -> None:
        self.views[instance] = self.stored, self.time

    @rule(instance=st.integers(0, 2))
    def keep(self, instance: int) -> None:
        seen, _ = self.views[instance]
        ring = seen.kept(self.clock(instance), self.timing)
        if ring.next(self.clock(instance)) is None:
            self.made += 1
            ring = ring.with_next(replace(key(f"key-{self.made}", self.clock(instance)), longest_token_seconds=10))
        self.store(instance, ring)

    @rule(instance=st.integers(0, 2))
    def rotate(self, instance: int) -> None:
        seen, _ = self.views[instance]
        if seen.next(self.clock(instance)) is not None and len(seen.published()) < MOST_PUBLISHED:
            self.store(instance, seen.rotated(self.clock(instance), self.timing))

    @precondition(lambda self: len(self.stored.published()) > 1)
    @rule(instance=st.integers(0, 2), which=st.integers(0, MOST_PUBLISHED))
    def distrust(self, instance: int, which: int) -> None:
        seen, _ = self.views[instance]
        chosen = seen.published()[which % len(seen.published())]
        before = self.stored
        try:
            self.store(instance, seen.distrusting(chosen.kid, self.clock(instance)))
        except NoNextKey:
            return
        if self.stored is not before:  # in an emergency a key signs that was just published
            self.unannounced |= {each.kid for each in self.stored.published() if each.signs_from_ms is not None}

    @rule(instance=st.integers(0, 2))
    def sign(self, instance: int) -> None:
        view, read_at = self.views[instance]
        if self.time - read_at > self.timing.view_seconds:
            return
        now = self.clock(instance)
        signer = view.active(now)
        published_for = now - signer.published_at_ms / 1000
        assert signer.kid in self.unannounced or published_for >= self.timing.lead_seconds
        self.tokens.append((signer.kid, now + self.timing.token_seconds))

    @invariant()
    def one_key_is_active(self) -> None:
        for instance, (view, _) in enumerate(self.views):
            assert list(states(view, self.clock(instance)).values()).count("active") == 1

    @invariant()
    def no_token_outlives_its_key(self) -> None:
        published = {each.kid for each in self.stored.published()}
        distrusted = {each.kid for each in self.stored.keys if not each.is_trusted}
        verifiers_time = self.time - self.timing.clock_skew_seconds / 2
        for kid, expiry in self.tokens:
            assert expiry <= verifiers_time or kid in published | distrusted


TestInstances = Instances.TestCase
TestInstances.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
