"""`python -m deploy.local` as a person has it: a process with a terminal's signals, on ports of its own."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from shared.testing.aws_emulator import REPOSITORY
from shared.testing.ports import free_port
from shared.testing.processes import Child, inherited_environment

PORT_SETTINGS = ("AUTH_PORT", "PROCESSOR_PORT", "WORKER_PORT", "REDIS_PORT", "AWS_PORT")


def free_port_settings() -> dict[str, str]:
    """MAYFLY_…_PORT for every port of the local run, each free."""
    return {f"MAYFLY_{name}": str(free_port()) for name in PORT_SETTINGS}


class LocalRun:
    """One start of the local run. `output` is what its console shows."""

    def __init__(self, folder: Path, settings: Mapping[str, str], console: Path) -> None:
        self.folder = folder
        self.ports = {name: value for name, value in settings.items() if name.endswith("_PORT")}
        self.console = console
        self.child = Child(
            "local run",
            [sys.executable, "-m", "deploy.local"],
            environment=inherited_environment(extra={**settings, "MAYFLY_LOCAL_FOLDER": str(folder)}),
            log_file=console,
            working_folder=REPOSITORY,
        )

    @property
    def output(self) -> str:
        return self.console.read_text() if self.console.exists() else ""

    def url(self, setting: str) -> str:
        """The address of a part, such as `url("AUTH_PORT")`."""
        return f"http://127.0.0.1:{self.ports[f'MAYFLY_{setting}']}"

    async def says(self, text: str) -> None:
        """Returns once its console shows the text."""

        async def shown() -> bool:
            return text in self.output

        await self.child.ready(shown, timeout_seconds=120.0)

    async def ends_by_itself(self) -> int:
        """Starts it and returns its exit code; after a minute it is killed and a TimeoutError raised."""
        await self.child.start()
        try:
            return await asyncio.wait_for(self.child.wait(), 60)
        finally:
            await self.child.kill()

    def commands(self) -> str:
        """The commands that it prints to try, as a shell script."""
        return "\n".join(re.findall(r"^  ((?:TOKEN=|JOB=|curl ).*)$", self.output, flags=re.MULTILINE))


@asynccontextmanager
async def local_run(folder: Path, settings: Mapping[str, str], console: Path) -> AsyncIterator[LocalRun]:
    """It is ready inside; afterwards it was ended with SIGTERM if the test had not ended it."""
    run = LocalRun(folder, settings, console)
    await run.child.start()
    try:
        await run.says("Ctrl-C ends everything.")
        yield run
    finally:
        await run.child.terminate(grace_seconds=60.0)
