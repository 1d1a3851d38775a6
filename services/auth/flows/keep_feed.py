"""Keeps Redis in line with the durable truth, and says so to every verifier."""

from dataclasses import dataclass, replace

from prometheus_client import Counter

from services.auth.stores.announcer import Announcer
from services.auth.stores.revocation_log import KEPT_SECONDS, RevocationLog
from services.auth.stores.revocations import Revocations
from shared.clock import Clock
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.tokens.revocation import Revocation
from shared.tokens.vouching import FeedState, Vouching

_USUALLY_BACK_SECONDS = 10  # writers' clocks differ, and a write takes its time
_FAR_BACK_SECONDS = 60  # for a write that took DynamoDB very long
_FAR_EVERY_SECONDS = 10

ANNOUNCED_AGAIN = Counter(
    "mayfly_revocations_announced_again",
    "Revocations that were durable and missing from Redis: their auth had died, or Redis has lost them.",
)

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look leaves for the next.

    `feed`: Redis when it was last in line with the truth. `is_unbroken`: every look since then has reached it.
    `compared_at`: when the last comparison began; None: never. `far_at`: when the last one began that looked far back.
    """

    feed: FeedState | None = None
    is_unbroken: bool = False
    compared_at: float | None = None
    far_at: float = 0

    def begin_anew(self) -> "Seen":
        """After a look that failed: Redis may have lost data meanwhile, and come back."""
        return replace(self, is_unbroken=False)

    def compared_at_in(self, feed: FeedState) -> float | None:
        """When this very Redis was compared; None where another one, or another instance, has begun it anew."""
        is_another = self.feed is not None and feed.generation != self.feed.generation
        return None if is_another else self.compared_at


@dataclass(frozen=True, slots=True)
class KeepFeed:
    """One look: what is durable and was not announced is announced, and a Redis that lost data is filled.

    Then verifiers are told that nothing is missing. While DynamoDB does not answer they are told so as long as this
    Redis has lost nothing since it was last compared: what was acknowledged is there.

    Any number of instances may do it at once.

    Raises:
        Unavailable: DynamoDB or Redis does not answer; verifiers are told nothing.
    """

    revocations: Revocations
    log: RevocationLog
    announcer: Announcer
    vouching: Vouching
    now: Clock

    async def __call__(self, seen: Seen) -> Seen:
        """`seen` is what the last look returned; the first begins with `Seen()` and compares everything."""
        now = self.now()
        feed = await self.vouching.look()
        if feed is None or (seen.feed is not None and feed.is_behind(seen.feed)):
            return await self._fill(now)
        looks_far = now - seen.far_at >= _FAR_EVERY_SECONDS
        try:
            durable = await self._durable(seen.compared_at_in(feed), now, looks_far=looks_far)
        except Unavailable:
            if seen.feed is None or not seen.is_unbroken or not feed.has_lost_nothing_since(seen.feed):
                raise
            return replace(seen, feed=feed) if await self.vouching.vouch(feed, now) else seen.begin_anew()
        await self._announce_missing(durable)
        vouched = await self.vouching.vouch(feed, now)
        return Seen(feed, vouched, now, now if looks_far else seen.far_at)

    async def _fill(self, now: float) -> Seen:
        revocations = await self._all(now)
        await self.announcer.fill(revocations)
        log.warning("revocation_feed_filled", revocations=len(revocations))
        return Seen(compared_at=now, far_at=now)

    async def _durable(self, compared_at: float | None, now: float, *, looks_far: bool) -> list[Revocation]:
        """What may be durable without having been compared."""
        if compared_at is None or not 0 <= now - compared_at < KEPT_SECONDS / 2:
            return await self._all(now)
        back = _FAR_BACK_SECONDS if looks_far else _USUALLY_BACK_SECONDS
        return await self.log.since(compared_at - back, now)

    async def _all(self, now: float) -> list[Revocation]:
        return [revocation async for revocation in self.revocations.in_force(now)]

    async def _announce_missing(self, durable: list[Revocation]) -> None:
        missing = await self.vouching.missing(durable)
        for revocation in missing:
            await self.announcer.announce(revocation)
        if missing:
            ANNOUNCED_AGAIN.inc(len(missing))
            log.warning("revocations_announced_again", count=len(missing))
