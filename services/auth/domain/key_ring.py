"""The keys that sign access tokens: next, active, retiring. Pure: what becomes of them, never where they lie.

At any time exactly one key is active. The next one is published long before it signs, so that every verifier has it by
then; one that signed stays published until the last token that it signed has expired.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from shared.tokens.claims import MAX_LIFETIME_SECONDS
from shared.tokens.signature import Algorithm

MOST_PUBLISHED = 16
"""Verifiers take key sets of 32 keys at most."""

KeyState: TypeAlias = Literal["next", "active", "retiring", "distrusted"]


class NoSuchKey(LookupError):  # noqa: N818 - it states the fact
    """The ring has no key of this name (any more)."""


class NoNextKey(LookupError):  # noqa: N818 - it states the fact
    """There is no key that could become the active one."""


class TooManyKeys(ValueError):  # noqa: N818 - it states the fact
    """So many keys are retiring that one more would not fit into the published set."""


@dataclass(frozen=True, slots=True)
class RingTiming:
    """How long what takes.

    `lead_seconds`: a key is published before it signs. `view_seconds`: how old the view of the ring may be by which an
    instance signs. `rotation_seconds`: a key signs (None: until somebody rotates it). `token_seconds`: a token lives.
    """

    lead_seconds: float
    view_seconds: float
    rotation_seconds: int | None
    token_seconds: int
    clock_skew_seconds: int


@dataclass(frozen=True, slots=True)
class RingKey:
    """A key's public part and its times, in milliseconds since the epoch. No token lives longer than its key says.

    It signs from `signs_from_ms` until `signs_until_ms`, as far as these are known.
    """

    kid: str
    alg: Algorithm
    public_jwk: Mapping[str, str]
    published_at_ms: int
    longest_token_seconds: int
    signs_from_ms: int | None = None
    signs_until_ms: int | None = None
    distrusted_at_ms: int | None = None

    @property
    def is_trusted(self) -> bool:
        return self.distrusted_at_ms is None

    def goes_at(self, timing: RingTiming) -> float | None:
        """When it leaves the ring, in seconds: all that it signed has expired by anybody's clock. None: not known yet.

        An instance whose view is old may sign a little longer than until `signs_until_ms`.
        """
        if self.distrusted_at_ms is not None:
            return self.distrusted_at_ms / 1000 + MAX_LIFETIME_SECONDS + timing.clock_skew_seconds
        if self.signs_until_ms is None:
            return None
        last_expiry = self.signs_until_ms / 1000 + timing.view_seconds + self.longest_token_seconds
        return last_expiry + 2 * timing.clock_skew_seconds


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys, in the order of their publication. `version` counts the changes that were stored."""

    version: int
    keys: tuple[RingKey, ...]

    @classmethod
    def begin(cls, first: RingKey, following: RingKey) -> "KeyRing":
        """Of a system in which nobody knows a key yet: the first one signs at once."""
        return cls(0, (replace(first, signs_from_ms=first.published_at_ms), following))

    def published(self) -> tuple[RingKey, ...]:
        """What verifiers are shown."""
        return tuple(key for key in self.keys if key.is_trusted)

    def find(self, kid: str) -> RingKey:
        """Raises NoSuchKey."""
        for key in self.keys:
            if key.kid == kid:
                return key
        raise NoSuchKey(kid)

    def active(self, now: float) -> RingKey:
        """The one key that signs now."""
        return self.signers(now, 0)[0]

    def signers(self, now: float, view_seconds: float) -> tuple[RingKey, ...]:
        """The active key, then those that may stand in for it until all instances have followed, the latest first."""
        at = now * 1000
        trusted = [(key, key.signs_from_ms) for key in self.keys if key.is_trusted and key.signs_from_ms is not None]
        ordered = [key for key, _ in sorted(trusted, key=lambda pair: pair[1])]
        on_time = [key for key in ordered if key.signs_until_ms is None or at < key.signs_until_ms]
        late = [
            key
            for key in ordered
            if key.signs_until_ms is not None and key.signs_until_ms <= at < key.signs_until_ms + view_seconds * 1000
        ]
        return (*on_time[:1], *reversed(late))

    def changes_at(self, now: float, view_seconds: float) -> float:
        """The second until which `signers` stays the same."""
        starts = [key.signs_from_ms / 1000 for key in self.keys if key.signs_from_ms is not None]
        ends = [key.signs_until_ms / 1000 for key in self.keys if key.signs_until_ms is not None]
        return min((at for at in (*starts, *ends, *(end + view_seconds for end in ends)) if at > now), default=math.inf)

    def next(self, now: float) -> RingKey | None:
        """The key that is published and has not signed yet."""
        active = self.active(now)
        waiting = [key for key in self.published() if key.signs_until_ms is None and key is not active]
        return waiting[0] if waiting else None

    def state(self, key: RingKey, now: float) -> KeyState:
        if not key.is_trusted:
            return "distrusted"
        if key == self.active(now):
            return "active"
        return "retiring" if key.signs_until_ms is not None and key.signs_until_ms <= now * 1000 else "next"

    def with_next(self, key: RingKey) -> "KeyRing":
        """With one more key that is published and does not sign yet."""
        return replace(self, keys=(*self.keys, key))

    def rotated(self, now: float, timing: RingTiming) -> "KeyRing":
        """The next key becomes the active one, as soon as it has been published for long enough.

        A rotation that is under way is not begun again.

        Raises:
            NoNextKey: there is none yet. TooManyKeys: first some must have retired.
        """
        following = self.next(now)
        if following is None:
            raise NoNextKey
        if following.signs_from_ms is not None:
            return self
        if len(self.published()) >= MOST_PUBLISHED:
            raise TooManyKeys
        lead_over = following.published_at_ms + math.ceil(timing.lead_seconds * 1000)
        return self._switched(following, max(int(now * 1000), lead_over), now)

    def distrusting(self, kid: str, now: float) -> "KeyRing":
        """Without this key, at once; if it was active, the next one is active from now on, however new it is.

        Raises:
            NoSuchKey. NoNextKey: it is the active one, and there is no other; give the ring a next one first.
        """
        key = self.find(kid)
        if not key.is_trusted:
            return self
        at_ms = int(now * 1000)
        return _with_changed(self._without(key, at_ms), replace(key, distrusted_at_ms=at_ms))

    def _without(self, key: RingKey, at_ms: int) -> "KeyRing":
        """With somebody else in the place of this key, if it has one. Instances whose clocks differ do the same."""
        starts_ms = key.signs_from_ms
        if starts_ms is None or (key.signs_until_ms is not None and key.signs_until_ms <= at_ms):
            return self  # it does not sign yet, or no more
        others = [each for each in self.published() if each != key]
        before = [each for each in others if each.signs_until_ms == starts_ms]
        if before and starts_ms > at_ms:
            return _with_changed(self, replace(before[0], signs_until_ms=key.signs_until_ms))
        after = [each for each in others if each.signs_from_ms in {None, key.signs_until_ms}]
        if not after:
            raise NoNextKey
        return _with_changed(self, replace(after[0], signs_from_ms=at_ms))

    def kept(self, now: float, timing: RingTiming) -> "KeyRing":
        """As it should be now: what has had its time is gone, and a rotation that is due has begun.

        The active and the next key will be kept as long as the longest tokens of the instance that asks need it.
        """
        stays = [key for key in self.keys if (end := key.goes_at(timing)) is None or now < end]
        ring = replace(self, keys=tuple(_keeping(key, timing.token_seconds) for key in stays))
        if timing.rotation_seconds is None or ring.next(now) is None or len(ring.published()) >= MOST_PUBLISHED:
            return ring
        signs_from_ms = ring.active(now).signs_from_ms or 0
        return ring.rotated(now, timing) if now >= signs_from_ms / 1000 + timing.rotation_seconds else ring

    def _switched(self, following: RingKey, at_ms: int, now: float) -> "KeyRing":
        ending = replace(self.active(now), signs_until_ms=at_ms)
        return _with_changed(self, ending, replace(following, signs_from_ms=at_ms))


def _with_changed(ring: KeyRing, *changed: RingKey) -> KeyRing:
    by_kid = {key.kid: key for key in changed}
    return replace(ring, keys=tuple(by_kid.get(key.kid, key) for key in ring.keys))


def _keeping(key: RingKey, token_seconds: int) -> RingKey:
    if key.signs_until_ms is not None or not key.is_trusted or key.longest_token_seconds >= token_seconds:
        return key
    return replace(key, longest_token_seconds=token_seconds)
