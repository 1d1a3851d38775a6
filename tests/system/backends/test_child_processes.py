import os
import signal
import sys
from pathlib import Path

import pytest

from shared.testing.ports import free_port
from shared.testing.processes import Child, ChildFailed, http_answers
from tests.support.process_table import process_runs
from tests.support.waiting import eventually

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


async def test_a_child_that_ends_early_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    child = Child(
        "broken", [sys.executable, "-c", "print('no such table'); raise SystemExit(3)"], log_file=tmp_path / "l"
    )
    await child.start()
    with pytest.raises(ChildFailed, match=r"broken ended early with code 3; last lines: no such table"):
        await child.ready(http_answers(f"http://127.0.0.1:{free_port()}/"))


async def test_a_child_that_is_never_ready_is_reported_after_the_bound(tmp_path: Path) -> None:
    child = Child("slow", SLEEP, log_file=tmp_path / "log")
    await child.start()
    with pytest.raises(ChildFailed, match=r"slow was not ready within 0\.2 s"):
        await child.ready(http_answers(f"http://127.0.0.1:{free_port()}/"), timeout_seconds=0.2)
    assert await child.kill() == -signal.SIGKILL


async def test_a_hung_child_still_ends_on_terminate(tmp_path: Path) -> None:
    child = Child("hung", SLEEP, log_file=tmp_path / "log")
    await child.start()
    child.stop_signal()
    assert await child.terminate(grace_seconds=5.0) == -signal.SIGTERM


async def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = Child("deaf", [sys.executable, "-c", deaf], log_file=tmp_path / "log")
    await child.start()

    async def is_deaf() -> bool:
        return "deaf" in child.last_lines()

    await child.ready(is_deaf)
    assert await child.terminate(grace_seconds=0.2) == -signal.SIGKILL


# shared/testing/leash.py promises it on Linux alone: prctl(PR_SET_PDEATHSIG) has no counterpart on other systems.
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
async def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    source = f"""
import asyncio, pathlib
from shared.testing.processes import Child
async def main():
    child = Child("grandchild", {SLEEP!r}, log_file=pathlib.Path({str(tmp_path / "inner")!r}))
    await child.start()
    print("grandchild", child.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = Child("parent", [sys.executable, "-c", source], log_file=tmp_path / "log")
    await parent.start()

    async def has_spoken() -> bool:
        return "grandchild" in parent.last_lines()

    await parent.ready(has_spoken)
    grandchild_pid = int(parent.last_lines(1).split()[-1])
    os.kill(parent.pid, signal.SIGKILL)  # the parent alone, not its group
    await parent.wait()

    async def is_gone() -> bool:
        return not process_runs(grandchild_pid)

    await eventually(is_gone)
