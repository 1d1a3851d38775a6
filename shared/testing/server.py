"""What every server that we start as a child can do: start, end, hang, die, come back."""

from types import TracebackType
from typing import Self

from shared.testing.processes import Child, ReadinessProbe


class ServerMissing(RuntimeError):  # noqa: N818 - errors state the fact
    """A server's program is not on this machine; the message says how to get it."""


class Server:
    """A child process that listens on 127.0.0.1. Its port stays the same over restarts. An async context manager."""

    scheme = "http"
    grace_seconds = 30.0
    ready_within_seconds = 60.0

    def __init__(self, port: int, child: Child, probe: ReadinessProbe) -> None:
        self.port = port
        self.child = child
        self._probe = probe

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def start(self) -> float:
        """Starts it and returns the seconds until it was ready. ChildFailed, and it is gone, when that fails."""
        await self.child.start()
        try:
            return await self.child.ready(self._probe, timeout_seconds=self.ready_within_seconds)
        except BaseException:
            await self.child.kill()
            raise

    async def stop(self) -> int:
        """Ends it politely (SIGTERM), after the grace by SIGKILL; returns its exit code."""
        return await self.child.terminate(self.grace_seconds)

    async def kill(self) -> None:
        """SIGKILL, and waits until it is gone."""
        await self.child.kill()

    def pause(self) -> None:
        """It hangs (SIGSTOP): connections stay open, nothing is answered until `resume`."""
        self.child.stop_signal()

    def resume(self) -> None:
        self.child.resume()

    async def restart(self, *, politely: bool = True) -> None:
        """Ends or kills it, and returns when it is ready again."""
        await (self.stop() if politely else self.kill())
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.child.running:
            await self.stop()
