"""What this process has heard of revocations: Redis' snapshot, then its stream, followed for the process's whole life.

A quiet stream is no news by itself: Redis may have lost some, or auth may have died before it could announce them. So
the feed is as fresh as auth's last word that nothing durable is missing from it. When that was written no wall clock
has to tell: not before the read was *sent* that did not find it yet.
"""

import asyncio
import contextlib
import math
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from prometheus_client import Gauge, Histogram
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from shared import clock
from shared.background import end
from shared.telemetry.logs import get_logger
from shared.tokens.revocation import RevokedSet
from shared.tokens.revocation_keys import GENERATION_KEY, SNAPSHOT_KEY, STREAM_KEY, from_member

STALENESS = Gauge(
    "mayfly_revocation_staleness_seconds", "Age of what is known for sure: everything revoked before it is known here."
)
KNOWN = Gauge("mayfly_revocations_known", "Revocations that this process holds in memory.")
CLOCK_LEAD = Gauge("mayfly_clock_lead_seconds", "By how much the clock of an auth is ahead of the one of this process.")
POSITION = Gauge(
    "mayfly_revocation_stream_position",
    "How far the stream was read: the two parts of the id that a revocation's receipt shows.",
    ["part"],
)
PROPAGATION = Histogram(
    "mayfly_revocation_propagation_seconds",
    "From the announcement of a revocation until this process knows it.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)

BLOCK_SECONDS = 0.1  # Redis looks at its timeouts every 0.1 s, so an idle feed is at most 0.4 s old
READ_TIMEOUT_SECONDS = BLOCK_SECONDS + 0.5
MAX_PAUSE_SECONDS = 0.5
_ENTRIES_IN_READ = 1000
_SWEEP_SECONDS = 30.0
_LEAD_KEPT_SECONDS = 10.0
_EXPIRY_MARGIN_SECONDS = 60  # should this machine's clock be ahead and then be set right

log = get_logger(__name__)


class FeedUntrusted(Exception):  # noqa: N818 - it states the fact
    """This Redis has lost data: nothing that it says is believed until it was filled again."""


class StreamId(NamedTuple):
    """An entry's place in the stream; they compare as Redis compares them."""

    milliseconds: int
    sequence: int

    @classmethod
    def parse(cls, text: str) -> "StreamId":
        milliseconds, _, sequence = text.partition("-")
        return cls(int(milliseconds), int(sequence))

    def __str__(self) -> str:
        return f"{self.milliseconds}-{self.sequence}"


class _Read(NamedTuple):
    entries: Sequence[tuple[str, Mapping[str, str]]]
    generation: str | None
    first: StreamId
    last: StreamId


class _Fastest(NamedTuple):
    """The clock of an auth that is ahead of all others, as far as it is ahead of ours, and when we heard so."""

    lead: float
    heard: float


class RevocationFeed:
    """Follows the revocations in Redis by a connection of its own. `start` it, `stop` it; nothing else ends it."""

    def __init__(
        self, redis_url: str, *, now: clock.Clock = clock.now, monotonic: clock.Clock = clock.monotonic
    ) -> None:
        self._redis_url = redis_url
        self._now = now
        self._monotonic = monotonic
        self._complete_until = -math.inf
        self._end_sent = -math.inf
        self._fastest = _Fastest(0.0, -math.inf)
        self._generation = ""
        self._position = StreamId(0, 0)
        self._swept = -math.inf
        self._lost = False
        self._task: asyncio.Task[None] | None = None
        self.revoked = RevokedSet()

    def start(self) -> None:
        """Begin to load and follow; how far it has come shows in `staleness`."""
        STALENESS.set_function(lambda: self.staleness(self._monotonic()))
        CLOCK_LEAD.set_function(self.clock_lead)
        KNOWN.set_function(lambda: len(self.revoked))
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """End the connection. What is known stays known, and gets stale."""
        if self._task is not None:
            await end(self._task)

    def staleness(self, now_monotonic: float) -> float:
        """Seconds since which a revocation might have been missed; infinite before the first load."""
        return now_monotonic - self._complete_until

    def clock_lead(self) -> float:
        """By how many seconds the clock of an auth is ahead of ours; 0 if ours is ahead of all."""
        return max(0.0, self._fastest.lead) if self._monotonic() - self._fastest.heard < _LEAD_KEPT_SECONDS else 0.0

    @property
    def position(self) -> StreamId:
        """How far the stream was read; a receipt that is not after it has been heard."""
        return self._position

    async def _live(self) -> None:
        while True:
            try:
                async with _connect(self._redis_url) as redis:
                    await self._follow_from_snapshot(redis)
            except Exception as error:  # noqa: BLE001 - must outlive whatever Redis, the network or we ourselves do wrong
                if not self._lost:
                    log.warning("revocation_feed_lost", error=repr(error))
                self._lost = True
            # Spread, so that many processes do not come back in one moment.
            await asyncio.sleep(random.uniform(0.1, 1) * MAX_PAUSE_SECONDS)  # noqa: S311 - no secret

    async def _follow_from_snapshot(self, redis: Redis) -> None:
        """Returns when the snapshot must be loaded again; what is known already is never taken out by that.

        The stream's end is read before the snapshot: what is announced meanwhile is heard twice rather than missed.
        """
        sent = self._monotonic()
        beginning = await _read(redis, after=None, block_seconds=None)
        if beginning.generation is None:
            raise FeedUntrusted("Redis has lost its revocations")
        async for member, expires_at in redis.zscan_iter(SNAPSHOT_KEY, count=_ENTRIES_IN_READ):
            self._hear(member, expires_at)
        self._generation, self._position, self._end_sent = beginning.generation, beginning.last, sent
        block_seconds = None
        while await self._follow(redis, block_seconds):
            block_seconds = BLOCK_SECONDS

    async def _follow(self, redis: Redis, block_seconds: float | None) -> bool:
        """One read of what is new. False: this is not the Redis any more whose snapshot was loaded, or it has a gap."""
        sent = self._monotonic()
        read = await _read(redis, after=self._position, block_seconds=block_seconds)
        is_whole = read.generation == self._generation and read.first <= self._position <= read.last
        for _, fields in read.entries:
            self._hear_news(fields, is_whole=is_whole)
        if not is_whole:
            log.warning("revocation_feed_reloads", generation=read.generation, last=str(read.last))
            return False
        if read.entries:
            self._position = StreamId.parse(read.entries[-1][0])
        if len(read.entries) < _ENTRIES_IN_READ:
            self._reached_end(sent)
        return True

    def _reached_end(self, sent: float) -> None:
        self._end_sent = sent
        POSITION.labels("milliseconds").set(self._position.milliseconds)
        POSITION.labels("sequence").set(self._position.sequence)
        if self._lost:
            log.info("revocation_feed_follows", revocations=len(self.revoked))
            self._lost = False
        if sent - self._swept > _SWEEP_SECONDS:
            self._swept = sent
            self.revoked.drop_expired(self._now() - _EXPIRY_MARGIN_SECONDS)

    def _hear_news(self, fields: Mapping[str, str], *, is_whole: bool) -> None:
        if "vouched" in fields:
            if is_whole:
                self._hear_word(float(fields["vouched"]), float(fields["clock"]))
        elif "revocation" in fields:  # else it marks a new generation
            self._hear(fields["revocation"], fields["expires_at"])
            PROPAGATION.observe(max(0.0, self._now() - float(fields["announced_at"])))

    def _hear_word(self, age_seconds: float, clock_seconds: float) -> None:
        """All that was durable `age_seconds` before this entry was written stands before it, and so has been heard."""
        self._complete_until = max(self._complete_until, self._end_sent - age_seconds)
        lead, now = clock_seconds - self._now(), self._monotonic()
        if lead >= self._fastest.lead or now - self._fastest.heard >= _LEAD_KEPT_SECONDS:
            self._fastest = _Fastest(lead, now)

    def _hear(self, member: str, expires_at: float | str) -> None:
        try:
            self.revoked.add(from_member(member, expires_at))
        except ValueError:
            log.error("revocation_not_understood", revocation=member)  # noqa: TRY400 - the trace says nothing more


@contextlib.asynccontextmanager
async def _connect(redis_url: str) -> AsyncIterator[Redis]:
    """A client for one connection: nothing is sent again behind our back, so a read was sent when we think it was."""
    redis = Redis.from_url(
        redis_url,
        decode_responses=True,
        socket_connect_timeout=MAX_PAUSE_SECONDS,
        socket_timeout=READ_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield redis
    finally:
        try:
            await redis.aclose()
        except asyncio.CancelledError:  # stopped while it was closing: redis-py may have left the connection open
            await redis.aclose()
            raise


async def _read(redis: Redis, *, after: StreamId | None, block_seconds: float | None) -> _Read:
    """One round trip: entries after an id (waiting for the first), then the generation and the stream's two ends."""
    async with redis.pipeline(transaction=False) as pipeline:
        if after is not None:
            block = None if block_seconds is None else int(block_seconds * 1000)
            pipeline.xread({STREAM_KEY: str(after)}, count=_ENTRIES_IN_READ, block=block)
        pipeline.get(GENERATION_KEY)
        pipeline.xinfo_stream(STREAM_KEY)
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            *news, generation, stream = await pipeline.execute(raise_on_error=False)
    failure = next((part for part in (*news, generation, stream) if isinstance(part, ResponseError)), None)
    if failure is not None:
        raise FeedUntrusted(f"Redis has no stream of revocations: {failure}")
    entries = news[0][0][1] if news and news[0] else ()
    last = StreamId.parse(stream["last-generated-id"])
    first = StreamId.parse(stream["first-entry"][0]) if stream["first-entry"] else last
    return _Read(entries, generation, first, last)
