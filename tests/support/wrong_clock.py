"""A service on a machine whose clock is wrong: `python -m tests.support.wrong_clock SECONDS MODULE`."""

import runpy
import sys
import time


def main(seconds: float, module: str) -> None:
    right = time.time  # noqa: TID251 - it is the machine's clock that is put wrong here
    time.time = lambda: right() + seconds  # noqa: TID251 - as said
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
