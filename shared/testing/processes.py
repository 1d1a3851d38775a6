"""Child processes that do not outlive us: started, awaited, hung, killed and ended by tests and local runs."""

import asyncio
import contextlib
import os
import signal
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import httpx

ReadinessProbe = Callable[[], Awaitable[bool]]

_LEASH = Path(__file__).with_name("leash.py")
_PROBE_INTERVAL_SECONDS = 0.05
_FOREIGN_PREFIXES = ("MAYFLY_", "AWS_", "PYTEST_")


class ChildFailed(RuntimeError):  # noqa: N818 - errors state the fact
    """A child process ended, or was not ready in time; the message holds the last lines of its log."""


def inherited_environment(
    *, without: tuple[str, ...] = _FOREIGN_PREFIXES, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """This process's environment less the variables with these prefixes, plus `extra`: what a child is started with."""
    ours = os.environ  # noqa: TID251 - not read for settings: handed on to a child
    kept = {name: value for name, value in ours.items() if not name.startswith(without)}
    return {**kept, "PYTHONUNBUFFERED": "1", **(extra or {})}


def http_answers(url: str, status: int = 200) -> ReadinessProbe:
    """A probe that is content when a GET is answered with this status."""
    # Plain HTTP on this machine: loading the system's certificates would cost 20 ms for every look.
    no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def probe() -> bool:
        try:
            async with httpx.AsyncClient(timeout=1.0, trust_env=False, verify=no_certificates) as client:
                return (await client.get(url)).status_code == status
        except httpx.TransportError:
            return False

    return probe


class Child:
    """One process in a session of its own, with a log file. `start` it again after its end: its log is appended to.

    On Linux it gets `parent_death_signal` when the thread that started it ends, however that happens. The terminal's
    Ctrl-C does not reach it. Whoever starts a child awaits `terminate` or `kill` before the event loop ends.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log_file: Path,
        environment: Mapping[str, str] | None = None,
        working_folder: Path | None = None,
        parent_death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.name = name
        self.log_file = log_file
        self._command = tuple(command)
        self._environment = dict(environment if environment is not None else inherited_environment())
        self._working_folder = working_folder
        self._parent_death_signal = parent_death_signal
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        return self._started().pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._started().returncode

    async def start(self) -> None:
        leash = (sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), str(int(self._parent_death_signal)))
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *leash,
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=self._environment,
                cwd=self._working_folder,
                start_new_session=True,
            )

    async def ready(self, probe: ReadinessProbe, *, timeout_seconds: float = 10.0) -> float:
        """Returns the seconds until the probe was content; ChildFailed when the child ended or time is up."""
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        while not await probe():
            if not self.running:
                raise ChildFailed(self.end_report())
            if loop.time() - started_at > timeout_seconds:
                raise ChildFailed(
                    f"{self.name} was not ready within {timeout_seconds:g} s; last lines: {self.last_lines()}"
                )
            await asyncio.sleep(_PROBE_INTERVAL_SECONDS)
        if not self.running:  # somebody else answered on its port
            raise ChildFailed(self.end_report())
        return loop.time() - started_at

    async def wait(self) -> int:
        """Returns the exit code once it has ended."""
        return await self._started().wait()

    async def terminate(self, grace_seconds: float = 10.0) -> int:
        """SIGTERM, after the grace SIGKILL; returns the exit code. What it started itself ends with it."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a hung process would never see the first
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), grace_seconds)
        return await self.kill()

    async def kill(self) -> int:
        """SIGKILL to it and to what it started; returns the exit code."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return await self.wait()

    def stop_signal(self) -> None:
        """SIGSTOP: it hangs, its sockets stay open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def last_lines(self, count: int = 5) -> str:
        """The end of its log on one line, for messages."""
        try:
            text = self.log_file.read_text(errors="replace")
        except FileNotFoundError:
            return "(no log)"
        return " | ".join(line.strip() for line in text.strip().splitlines()[-count:]) or "(empty log)"

    def end_report(self) -> str:
        return f"{self.name} ended early with code {self.exit_code}; last lines: {self.last_lines()}"

    def _signal(self, number: signal.Signals) -> None:
        if self.running:
            self._started().send_signal(number)

    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise ChildFailed(f"{self.name} was not started")
        return self._process


async def together(*steps: Awaitable[object]) -> None:
    """Awaits all of them. When one fails the others are cancelled and have ended before its error is raised."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def run_to_end(child: Child, timeout_seconds: float = 60.0) -> None:
    """Runs a command to its end; ChildFailed when it fails or does not end in time."""
    await child.start()
    try:
        exit_code = await asyncio.wait_for(child.wait(), timeout_seconds)
    except TimeoutError:
        await child.kill()
        raise ChildFailed(f"{child.name} did not end within {timeout_seconds:g} s: {child.last_lines()}") from None
    except BaseException:
        await child.kill()
        raise
    if exit_code != 0:
        raise ChildFailed(child.end_report())
