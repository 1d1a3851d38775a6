"""From the moment at which a revocation is sent to the last acceptance in four processor processes."""

import asyncio
import tempfile
from pathlib import Path

from benchmarks.load.client import Connection, log_in, milliseconds, percentile
from shared.testing.stack import Stack

PROCESSORS = 4
REVOCATIONS = 150
PAUSE_SECONDS = 0.004
# A limit of 0 is refused (422) by whoever has accepted the token, before a store is asked: a cheap witness.
WITNESS = "/api/process?limit=0"


async def refused_after(processor: Connection, token: str, began: float) -> float:
    """Milliseconds from `began` until this process has refused the token."""
    while True:
        status, _ = await processor.ask("GET", WITNESS, token=token)
        if status == 401:
            return milliseconds() - began
        assert status == 422, status
        await asyncio.sleep(PAUSE_SECONDS)


async def measure() -> tuple[list[float], list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), auths=1, processors=PROCESSORS, workers=0) as stack:
            auth = Connection(stack.auth_url)
            processors = [Connection(instance.url) for instance in stack.of_kind("processor")]
            answered, refused = [], []
            for _ in range(REVOCATIONS):
                token = await log_in(stack.auth_url)
                for processor in processors:
                    assert (await processor.ask("GET", WITNESS, token=token))[0] == 422
                watchers = [
                    asyncio.create_task(refused_after(processor, token, began := milliseconds()))
                    for processor in processors
                ]
                status, _ = await auth.ask("POST", "/api/logout", token=token)
                assert status in {200, 204}, status
                answered.append(milliseconds() - began)
                refused.append(max(await asyncio.gather(*watchers)))
            return answered, refused


def main() -> None:
    answered, refused = asyncio.run(measure())
    print(f"Revoke -> refused, {REVOCATIONS} sessions, the slowest of {PROCESSORS} processor processes (ms)")
    print("                                     p50     p99     max")
    for name, values in (("revocation answered after", answered), ("last process refuses after", refused)):
        print(f"  {name:30} {percentile(values, 0.5):7.1f} {percentile(values, 0.99):7.1f} {max(values):7.1f}")


if __name__ == "__main__":
    main()
