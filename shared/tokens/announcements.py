"""How auth tells every verifier of a revocation, and fills a Redis that has lost what it knew."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from redis.asyncio import Redis

from shared import clock
from shared.clients.redis import redis_errors
from shared.ids import new_id
from shared.tokens.revocation import Revocation
from shared.tokens.revocation_keys import GENERATION_KEY, SNAPSHOT_KEY, STREAM_KEY, to_member

STREAM_LENGTH = 100_000
"""A verifier that is further behind than this loads the snapshot again."""

_EXPIRY_MARGIN_SECONDS = 60
_CHUNK = 500  # takes Redis a small part of its timeout
_TEMPORARY_KEY_SECONDS = 120

# KEYS: snapshot, stream. ARGV: member, expires_at, announced_at, forget what expired before, stream's length.
_ANNOUNCE = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4])
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
return redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*',
    'revocation', ARGV[1], 'expires_at', ARGV[2], 'announced_at', ARGV[3])
"""

# KEYS: snapshot, stream, generation, filled key. ARGV: members in the filled key, the new generation, stream's length.
# The marker in the stream gives it a last id, by which a verifier sees later that the stream went back.
_REBUILD = """
if redis.call('ZCARD', KEYS[4]) ~= tonumber(ARGV[1]) then
    return 0
end
redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[1], KEYS[4], 'AGGREGATE', 'MAX')
redis.call('DEL', KEYS[4])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'generation', ARGV[2])
redis.call('SET', KEYS[3], ARGV[2])
return 1
"""


class RebuildInterrupted(Exception):  # noqa: N818 - it states the fact
    """Redis lost data again while it was being filled. Nothing was claimed; do it again."""


class Announcements:
    """The writing side of the feed that every verifier follows. Raises `Unavailable` when Redis does not answer."""

    def __init__(self, redis: Redis, *, now: clock.Clock = clock.now) -> None:
        self._redis = redis
        self._now = now
        self._announce = redis.register_script(_ANNOUNCE)
        self._rebuild = redis.register_script(_REBUILD)

    async def announce(self, revocation: Revocation) -> str:
        """Add to snapshot and stream, both or neither. Doing it twice does no harm.

        The answer is the stream's id, a receipt: a verifier that has read up to it knows of the revocation.
        """
        with redis_errors():
            stream_id: str = await self._announce(
                keys=[SNAPSHOT_KEY, STREAM_KEY], args=_announcement(revocation, self._now())
            )
        return stream_id

    async def announce_all(self, revocations: Sequence[Revocation]) -> None:
        """Each as by itself, hundreds in one exchange. Where Redis stops answering, those before may be announced."""
        rest = iter(revocations)
        while chunk := list(islice(rest, _CHUNK)):
            with redis_errors():
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for each in chunk:
                        args = _announcement(each, self._now())
                        await self._announce(keys=[SNAPSHOT_KEY, STREAM_KEY], args=args, client=pipeline)
                    await pipeline.execute()

    async def rebuild(self, revocations: Iterable[Revocation]) -> str:
        """Make the snapshot whole and give it a new generation; what is announced meanwhile stays.

        `revocations` must be read from the durable truth after Redis was seen to have lost data.

        Raises:
            RebuildInterrupted: Redis lost data meanwhile.
        """
        filled = f"{SNAPSHOT_KEY}:{new_id('rebuild')}"
        generation = new_id("gen")
        with redis_errors():
            members = await self._fill(filled, revocations)
            keys = [SNAPSHOT_KEY, STREAM_KEY, GENERATION_KEY, filled]
            if not await self._rebuild(keys=keys, args=[members, generation, STREAM_LENGTH]):
                raise RebuildInterrupted("Redis lost data while it was filled")
        return generation

    async def _fill(self, key: str, revocations: Iterable[Revocation]) -> int:
        """Put them into a sorted set that goes away by itself if we die; the answer is how many members it has."""
        members = 0
        rest = iter(revocations)
        while chunk := _by_member(islice(rest, _CHUNK)):
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.zadd(key, chunk, gt=True)
                pipeline.expire(key, _TEMPORARY_KEY_SECONDS)
                added, _ = await pipeline.execute()
            members += added
        return members


def _announcement(revocation: Revocation, now: float) -> list[str | int]:
    forget_before = int(now) - _EXPIRY_MARGIN_SECONDS
    return [to_member(revocation), revocation.expires_at, f"{now:.6f}", forget_before, STREAM_LENGTH]


def _by_member(revocations: Iterator[Revocation]) -> dict[str, int]:
    scores: dict[str, int] = {}
    for revocation in revocations:
        member = to_member(revocation)
        scores[member] = max(revocation.expires_at, scores.get(member, 0))
    return scores
