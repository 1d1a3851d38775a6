"""Revocations by the thousand, written straight into Redis: auth would need minutes for them."""

import asyncio
from collections.abc import Sequence

from shared import clock
from shared.clients.redis import open_redis
from shared.ids import new_id
from shared.tokens.announcements import Announcements
from shared.tokens.revocation import Revocation, Target

_AT_ONCE = 50


def some_revocations(count: int, seconds: int = 3600) -> list[Revocation]:
    """Of tokens that nobody holds; they are in force for so long."""
    now = int(clock.now())
    return [Revocation(Target("jti", new_id("tok")), now, now + seconds) for _ in range(count)]


async def fill(revocations: Sequence[Revocation], redis_url: str) -> None:
    """Give Redis a snapshot with all of them, as auth does with one that has lost its data.

    By way of DynamoDB the emulator takes a minute for 100,000; tests/service/auth/test_keep_feed.py goes that way.
    """
    async with open_redis(redis_url, timeout_seconds=10) as redis:
        await Announcements(redis).rebuild(revocations)


async def announce(revocations: Sequence[Revocation], redis_url: str) -> None:
    """Tell every verifier of them, as fast as Redis takes it."""
    gate = asyncio.Semaphore(_AT_ONCE)
    async with open_redis(redis_url, timeout_seconds=10) as redis:
        announcements = Announcements(redis)

        async def tell(each: Revocation) -> None:
            async with gate:
                await announcements.announce(each)

        await asyncio.gather(*map(tell, revocations))
