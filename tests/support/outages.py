"""A Redis that is away, in the two ways that matter: nobody listens any more, or nobody answers."""

import pytest

from shared.testing.valkey import Valkey

both_ways = pytest.mark.parametrize("how", ["down", "hung"])


async def break_redis(redis: Valkey, how: str) -> None:
    if how == "hung":
        redis.pause()
    else:
        await redis.kill()


async def mend_redis(redis: Valkey, how: str) -> None:
    if how == "hung":
        redis.resume()
    else:
        await redis.start()
