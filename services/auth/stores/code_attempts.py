"""Codes of devices that people have entered, counted in Redis: nobody may try many."""

from redis.asyncio import Redis

from shared.clients.redis import redis_errors

WINDOW_SECONDS = 600
MOST_BY_USER = 20
MOST_FROM_ADDRESS = 60
_PREFIX = "mayfly:codes"


class CodeAttempts:
    """Losing them is no harm: a code is one of 25,600,000,000, and good for ten minutes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def count(self, user_id: str, address: str) -> int:
        """Count one; 0: it may come. Otherwise it may come in so many seconds. Raises Unavailable."""
        keys = f"{_PREFIX}:user:{user_id}", f"{_PREFIX}:address:{address}"
        with redis_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                for key in keys:
                    pipe.incr(key)
                    pipe.expire(key, WINDOW_SECONDS, nx=True)
                    pipe.ttl(key)
                by_user, _, user_wait, from_address, _, address_wait = await pipe.execute()
        waits = [user_wait] if by_user > MOST_BY_USER else []
        waits += [address_wait] if from_address > MOST_FROM_ADDRESS else []
        return max([*waits, 1]) if waits else 0
