"""Redis with short waits and no blind retries: redis-py's defaults turn a hung server into a request of a minute."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from shared.errors import Unavailable


def open_redis(url: str, *, timeout_seconds: float = 0.25) -> Redis:
    """A client with a pool of its own; connects on first use. Close it with `aclose()`.

    A pooled connection that the server has closed meanwhile is replaced once; nothing else is tried again.
    """
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        health_check_interval=0,
        max_connections=100,
    )


@contextmanager
def redis_errors() -> Iterator[None]:
    """Within: whatever goes wrong between us and Redis is `Unavailable`."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable("Redis does not answer; nothing was changed there. Ask again.") from error
