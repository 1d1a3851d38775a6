"""What 100,000 revocations in force cost a verifier: memory, the time to load them, and the time to ask.

The memory is what the whole process grows by, as the system counts it (Linux; elsewhere Python's own count).
"""

import asyncio
import tempfile
import time
import tracemalloc
from pathlib import Path

from shared import clock
from shared.clients.redis import open_redis
from shared.ids import new_id
from shared.testing.valkey import Valkey
from shared.tokens.announcements import Announcements
from shared.tokens.claims import Claims
from shared.tokens.revocation import Revocation, Target
from shared.tokens.revocation_feed import RevocationFeed

COUNT = 100_000
GOAL_MEGABYTES = 20
ASKED = 20_000
ROUNDS = 15
_STATUS = Path("/proc/self/status")


def resident_bytes() -> int:
    if not _STATUS.exists():
        return tracemalloc.get_traced_memory()[0]
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


async def load(redis_url: str) -> tuple[RevocationFeed, float]:
    """A feed that has heard of all of them, and the seconds until then."""
    feed = RevocationFeed(redis_url)
    began = time.perf_counter()
    feed.start()
    while len(feed.revoked) < COUNT:  # noqa: ASYNC110 - the feed tells nobody
        await asyncio.sleep(0.005)
    return feed, time.perf_counter() - began


async def measure() -> tuple[int, float, float]:
    with tempfile.TemporaryDirectory() as folder:
        async with Valkey(Path(folder)) as valkey:
            now = int(clock.now())
            async with open_redis(valkey.url, timeout_seconds=10) as redis:
                await Announcements(redis).rebuild(
                    Revocation(Target("jti", new_id("tok")), now, now + 3600) for _ in range(COUNT)
                )
            await load_nothing(valkey.url)
            before = resident_bytes()
            feed, seconds = await load(valkey.url)
            grown = resident_bytes() - before
            asked = nanoseconds_to_ask(feed, now)
            await feed.stop()
            return grown, seconds, asked


async def load_nothing(redis_url: str) -> None:
    """What a feed needs anyhow (code, a connection, a parser) is there before anything is measured."""
    feed = RevocationFeed(redis_url.removesuffix("/0") + "/1")
    feed.start()
    await asyncio.sleep(0.3)
    await feed.stop()


def nanoseconds_to_ask(feed: RevocationFeed, now: int) -> float:
    good = Claims(
        "iss", "usr", ("mayfly",), "cli", "tok", now, None, now + 900, frozenset(), "ses", (), (), None, "key"
    )
    is_revoked, rounds = feed.revoked.is_revoked, []
    for _ in range(ROUNDS):
        began = time.perf_counter_ns()
        for _ in range(ASKED):
            is_revoked(good)
        rounds.append((time.perf_counter_ns() - began) / ASKED)
    return min(rounds)


def main() -> None:
    if not _STATUS.exists():
        tracemalloc.start()
    grown, seconds, asked = asyncio.run(measure())
    print(f"{COUNT:,} revocations of single tokens in one verifier")
    print(f"  memory     {grown / 1e6:6.1f} MB (goal: at most {GOAL_MEGABYTES})")
    print(f"  loaded in  {seconds:6.2f} s")
    print(f"  asked in   {asked:6.0f} ns")


if __name__ == "__main__":
    main()
