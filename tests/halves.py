"""`make test`: all tests, in two runs side by side; with arguments for pytest, one run of what they name.

Much of a test is waiting: for a timeout, a lease, another process. So one half computes while the other waits. Each is
one process with backends of its own; whatever is not in the first half is in the second.
"""

import shutil
import subprocess
import sys
import tempfile
from typing import IO

FIRST_HALF = ("tests/service/auth", "tests/system")


def main() -> None:
    """The second half is shown when it has ended. The exit code is 0 when both have passed."""
    if chosen := sys.argv[1:]:
        sys.exit(_pytest(*chosen).wait())
    with tempfile.TemporaryFile() as output:
        second = _pytest(*(f"--ignore={folder}" for folder in FIRST_HALF), output=output)
        codes = [_pytest(*FIRST_HALF).wait(), second.wait()]
        output.seek(0)
        shutil.copyfileobj(output, sys.stdout.buffer)
    sys.exit(max(codes))


def _pytest(*arguments: str, output: IO[bytes] | None = None) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.Popen(command, stdout=output, stderr=output and subprocess.STDOUT)  # noqa: S603 - ours


if __name__ == "__main__":
    main()
