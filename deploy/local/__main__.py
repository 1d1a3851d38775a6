"""`make run` ends here: `python -m deploy.local` starts the whole system on this machine and ends it on Ctrl-C."""

import sys


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - said here in one line, before an import fails with twenty
        print(f"Mayfly needs Python 3.11 or later; this is {sys.version.split()[0]}. Try: make run PYTHON=python3.11")
        return 1
    try:
        from deploy.local.run import run  # noqa: PLC0415 - after the version was looked at
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed in this environment. `make run` installs what is needed.")
        return 1
    try:
        return run()
    except KeyboardInterrupt:  # before anything was started
        return 0


if __name__ == "__main__":
    sys.exit(main())
