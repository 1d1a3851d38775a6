"""From the announcement of a revocation until four verifiers know it, at 1, 100 and 1,000 revocations a second.

Each verifier is a process of its own that follows the feed as a processor does, and nothing else; all share one clock.
The announcements come from one more process, at even distances, whether the last one has been answered or not.
"""

import asyncio
import multiprocessing
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.load.client import percentile
from shared import clock
from shared.clients.redis import open_redis
from shared.testing.valkey import Valkey
from shared.tokens.announcements import Announcements
from shared.tokens.revocation import Revocation, RevokedSet, Target
from shared.tokens.revocation_feed import RevocationFeed

VERIFIERS = 4
RATES = ((1, 20), (100, 1000), (1000, 10_000))  # a second, in all
_PATIENCE_SECONDS = 30


class _Dated(RevokedSet):
    """Writes down when each was heard."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[str, float] = {}

    def add(self, revocation: Revocation) -> None:
        super().add(revocation)
        self.heard[revocation.target.value] = clock.monotonic()


def verify(redis_url: str, count: int, parent: Connection) -> None:
    """One verifier: says that it listens, then when it heard of each."""
    asyncio.run(_verify(redis_url, count, parent))


async def _verify(redis_url: str, count: int, parent: Connection) -> None:
    feed = RevocationFeed(redis_url)
    feed.revoked = dated = _Dated()
    feed.start()
    while feed.position.milliseconds == 0:  # noqa: ASYNC110 - the feed tells nobody
        await asyncio.sleep(0.01)
    parent.send("listens")
    until = clock.monotonic() + count + _PATIENCE_SECONDS
    while len(dated.heard) < count and clock.monotonic() < until:  # noqa: ASYNC110 - as said
        await asyncio.sleep(0.05)
    await feed.stop()
    parent.send(dated.heard)


async def announce(redis_url: str, rate: int, count: int) -> dict[str, float]:
    """When each was sent."""
    sent: dict[str, float] = {}
    now = int(clock.now())
    async with open_redis(redis_url, timeout_seconds=5) as redis:
        announcements = Announcements(redis)

        async def tell(value: str) -> None:
            sent[value] = clock.monotonic()
            await announcements.announce(Revocation(Target("jti", value), now, now + 900))

        began = clock.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                await asyncio.sleep(max(0, began + number / rate - clock.monotonic()))
                tasks.create_task(tell(f"tok_{number}"))
    return sent


def measure(redis_url: str, rate: int, count: int) -> list[float]:
    """Milliseconds until the slowest verifier knew, of each revocation."""
    spawn = multiprocessing.get_context("spawn")
    pairs = [spawn.Pipe() for _ in range(VERIFIERS)]
    children = [spawn.Process(target=verify, args=(redis_url, count, child)) for _, child in pairs]
    for process in children:
        process.start()
    for parent, _ in pairs:
        assert parent.recv() == "listens"
    sent = asyncio.run(announce(redis_url, rate, count))
    heard = [parent.recv() for parent, _ in pairs]
    for process in children:
        process.join()
    lost = sum(count - len(each) for each in heard)
    assert lost == 0, f"{lost} were not heard"
    return [1000 * (max(each[value] for each in heard) - at) for value, at in sent.items()]


async def _measure_all() -> None:
    print(f"Announced -> known in the slowest of {VERIFIERS} verifier processes (ms)")
    print("  a second   in all     p50     p99     max")
    for rate, count in RATES:
        with tempfile.TemporaryDirectory() as folder:
            async with Valkey(Path(folder)) as valkey:
                async with open_redis(valkey.url) as redis:
                    await Announcements(redis).rebuild([])
                values = await asyncio.to_thread(measure, valkey.url, rate, count)
        print(
            f"  {rate:8,} {count:8,} {percentile(values, 0.5):7.1f} {percentile(values, 0.99):7.1f} {max(values):7.1f}"
        )
        sys.stdout.flush()


def main() -> None:
    asyncio.run(_measure_all())


if __name__ == "__main__":
    main()
