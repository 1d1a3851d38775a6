"""Wrong passwords, counted in Redis. They are forgotten some time after the last one; losing them all is no harm."""

from redis.asyncio import Redis

from services.auth.domain.lockout import Attempts, Tally
from shared.clients.redis import redis_errors
from shared.ids import digest

_FORGET_SECONDS = 900
_KNOWN_ADDRESS_SECONDS = 30 * 86_400
_PREFIX = "mayfly:attempts"


class LoginAttempts:
    """`username` is folded, `address` as counted. Each call is one round trip, and raises Unavailable without Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def read(self, username: str, address: str) -> Attempts:
        with redis_errors():
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key in _tally_keys(username, address):
                    pipeline.hmget(key, "count", "last_at")
                pipeline.exists(_known_key(username, address))
                pair, user, by_address, known = await pipeline.execute()
        return Attempts(_tally(pair), _tally(user), _tally(by_address), bool(known))

    async def count_failure(self, username: str, address: str, now: float) -> None:
        with redis_errors():
            async with self._redis.pipeline(transaction=True) as pipeline:
                for key in _tally_keys(username, address):
                    pipeline.hincrby(key, "count", 1)
                    pipeline.hset(key, "last_at", f"{now:.3f}")
                    pipeline.expire(key, _FORGET_SECONDS)
                await pipeline.execute()

    async def clear(self, username: str, address: str) -> None:
        """After a right password: these two belong together.

        What was counted for the address and for the user stays, else one's own account, or the victim's own logins,
        would give an attacker new tries.
        """
        pair_key = _tally_keys(username, address)[0]
        with redis_errors():
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.delete(pair_key)
                pipeline.set(_known_key(username, address), "1", ex=_KNOWN_ADDRESS_SECONDS)
                await pipeline.execute()


def _tally_keys(username: str, address: str) -> tuple[str, str, str]:
    user = digest(username)[:32]
    return f"{_PREFIX}:pair:{user}:{address}", f"{_PREFIX}:user:{user}", f"{_PREFIX}:address:{address}"


def _known_key(username: str, address: str) -> str:
    return f"{_PREFIX}:known:{digest(username)[:32]}:{address}"


def _tally(fields: list[str | None]) -> Tally:
    count, last_at = fields
    return Tally(int(count or 0), float(last_at or 0))
