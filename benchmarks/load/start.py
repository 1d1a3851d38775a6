"""From the start of a process to its first 200 at `/readyz`, with the stores running."""

import asyncio
import statistics
import tempfile
from pathlib import Path

from shared.testing.stack import Stack

STARTS = 5


async def measure() -> dict[str, list[float]]:
    took: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), auths=1, processors=1, workers=1) as stack:
            for instance in stack.instances:
                for _ in range(STARTS):
                    await instance.stop()
                    took.setdefault(instance.kind, []).append(await instance.start())
    return took


def main() -> None:
    print(f"Ready after the start, {STARTS} starts each (s; goal < 2)")
    for kind, values in asyncio.run(measure()).items():
        print(f"  {kind:10} median {statistics.median(values):5.2f}   max {max(values):5.2f}")


if __name__ == "__main__":
    main()
