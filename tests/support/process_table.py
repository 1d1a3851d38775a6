"""Which processes run: only to look, never to end one."""

import os
from pathlib import Path


def process_runs(pid: int) -> bool:
    """False for a process that has ended, whether or not somebody has asked for its exit code (a zombie)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # no /proc here, or it ended just now
        return Path("/proc").is_dir() is False
    return state != "Z"


def children_of(pid: int, command: str = "") -> set[int]:
    """The processes that it started itself, that have not ended, and whose command line holds `command`."""
    listed = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return {child for child in listed if process_runs(child) and command in _command_line(child)}


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
