"""Run as a script: makes a command end when the process that started it ends, then becomes that command.

`python leash.py PARENT_PID SIGNAL COMMAND…`. On Linux the kernel sends SIGNAL to the command when its parent is gone,
even when the parent was killed with SIGKILL (prctl(2), PR_SET_PDEATHSIG; it survives exec). Elsewhere the command runs
without that promise. A script of its own and no `preexec_fn`, which may deadlock in a process that has threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    parent_pid, signal_number, command = int(arguments[0]), int(arguments[1]), arguments[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent_pid:  # it ended before the kernel was asked
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted: the command is a list of words


if __name__ == "__main__":
    main(sys.argv[1:])
