"""`make bench`: every measurement in turn. Each is also a command: `python -m benchmarks.micro.request`."""

import importlib
import os
import platform
import sys

MEASUREMENTS = (
    "benchmarks.micro.verify",
    "benchmarks.micro.request",
    "benchmarks.micro.issue",
    "benchmarks.micro.revoked_set",
    "benchmarks.load.start",
    "benchmarks.load.latency",
    "benchmarks.load.login_storm",
    "benchmarks.load.provider",
    "benchmarks.load.revocation",
    "benchmarks.load.revocation_rates",
    "benchmarks.load.pipeline",
    "benchmarks.load.kills",
    "benchmarks.load.scaling",
)


def main() -> None:
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    for name in MEASUREMENTS:
        print(f"\n== {name}")
        sys.stdout.flush()
        importlib.import_module(name).main()


if __name__ == "__main__":
    main()
