"""Keeps Redis in line with the durable truth, and says so to every verifier."""

from dataclasses import dataclass, replace

from prometheus_client import Counter

from services.auth.stores.announcer import Announcer
from services.auth.stores.revocation_log import KEPT_SECONDS, LogReading, RevocationLog
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
    `unfinished`: one that DynamoDB did not answer to its end, and Redis when that was found.
    """

    feed: FeedState | None = None
    is_unbroken: bool = False
    compared_at: float | None = None
    far_at: float = 0
    unfinished: tuple[LogReading, FeedState] | None = None

    def begin_anew(self) -> "Seen":
        """After a look that failed: Redis may have lost data meanwhile, and come back."""
        return replace(self, is_unbroken=False)

    def has_all_in(self, feed: FeedState) -> bool:
        """Whether nothing that was announced since the last comparison can be missing from this Redis."""
        return self.feed is not None and self.is_unbroken and feed.has_lost_nothing_since(self.feed)

    def reading(self, feed: FeedState, now: float) -> LogReading | None:
        """What must be compared now, the rest of an unfinished comparison first; None: all that is in force.

        That is so where this Redis was never compared, as another instance has begun it anew, or long ago.
        """
        is_another = self.feed is not None and feed.generation != self.feed.generation
        if is_another or self.compared_at is None or not 0 <= now - self.compared_at < KEPT_SECONDS / 2:
            return None
        if self.unfinished is not None and feed.has_lost_nothing_since(self.unfinished[1]):
            return self.unfinished[0]
        looks_far = now - self.far_at >= _FAR_EVERY_SECONDS
        return LogReading(self.compared_at - (_FAR_BACK_SECONDS if looks_far else _USUALLY_BACK_SECONDS), now)

    def after(self, compared: LogReading | None, feed: FeedState, *, vouched: bool, now: float) -> "Seen":
        """After a whole comparison, of all where it is None."""
        if compared is None or self.compared_at is None:
            return Seen(feed, vouched, now, now)
        looked_far = self.compared_at - compared.since > _USUALLY_BACK_SECONDS + 1
        return Seen(feed, vouched, compared.began_at, compared.began_at if looked_far else self.far_at)


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
        reading = seen.reading(feed, now)
        try:
            durable, rest = await self._durable(reading, now)
        except Unavailable:
            if not seen.has_all_in(feed):
                raise
            return await self._vouch_meanwhile(seen, feed, now)
        await self._announce_missing(durable)
        if reading is None or (rest is None and not reading.reached):
            return seen.after(reading, feed, vouched=await self.vouching.vouch(feed, now), now=now)
        # What took several looks proves nothing of this moment; the look after it does.
        has_all = seen.has_all_in(feed)
        if rest is None:
            seen = seen.after(reading, feed, vouched=has_all, now=now)
        else:
            seen = replace(seen, unfinished=(rest, feed))
        return await self._vouch_meanwhile(seen, feed, now) if has_all else seen.begin_anew()

    async def _vouch_meanwhile(self, seen: Seen, feed: FeedState, now: float) -> Seen:
        """Until the comparison is whole: what was acknowledged is in this Redis."""
        return replace(seen, feed=feed) if await self.vouching.vouch(feed, now) else seen.begin_anew()

    async def _fill(self, now: float) -> Seen:
        revocations = await self._all(now)
        await self.announcer.fill(revocations)
        log.warning("revocation_feed_filled", revocations=len(revocations))
        return Seen(compared_at=now, far_at=now)

    async def _durable(self, reading: LogReading | None, now: float) -> tuple[list[Revocation], LogReading | None]:
        """What may be durable without having been compared, and what is left to read of it."""
        if reading is None:
            return await self._all(now), None
        return await self.log.read(reading, now)

    async def _all(self, now: float) -> list[Revocation]:
        return [revocation async for revocation in self.revocations.in_force(now)]

    async def _announce_missing(self, durable: list[Revocation]) -> None:
        missing = await self.vouching.missing(durable)
        await self.announcer.announce_all(missing)
        if missing:
            ANNOUNCED_AGAIN.inc(len(missing))
            log.warning("revocations_announced_again", count=len(missing))
