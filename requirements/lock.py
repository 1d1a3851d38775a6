"""Writes the hash-pinned locks, one for each place that installs them. Run it by `make lock`.

Only releases that are a week old are taken: what is wrong with a release is mostly found in its first days.
"""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parent.parent
SERVICES = ("services/auth/pyproject.toml", "services/processor/pyproject.toml")
LOCKS = {
    "auth": ["services/auth/pyproject.toml"],
    "processor": ["services/processor/pyproject.toml"],
    "dev": ["shared/pyproject.toml", *SERVICES, "--group", "dev"],
    "build": ["--group", "build"],
    "emulator": ["--group", "emulator"],
    "bench": ["--group", "bench"],
}


def main() -> None:
    newest = (datetime.now(UTC) - timedelta(days=7)).strftime("%Y-%m-%d")  # noqa: TID251 - a tool, not the product
    for name, sources in LOCKS.items():
        print(f"requirements/{name}.lock")
        command = [sys.executable, "-m", "uv", "pip", "compile", *sources, "-o", f"requirements/{name}.lock"]
        command += ["--universal", "--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet", "--upgrade"]
        # With hashes, pip wants each extra that anything asks for to stand in the lock.
        command += ["--no-strip-extras"]
        command += ["--python-version", "3.11", "--exclude-newer", newest, "--no-emit-package", "mayfly-shared"]
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own words


if __name__ == "__main__":
    main()
