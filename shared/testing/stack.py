"""The whole system on this machine: Redis, the AWS emulator, and any number of auths, processors and workers.

Every part is a real process; nothing of the services is imported here. Instances may be added, killed, hung and
restarted while it runs.
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.testing.aws_emulator import AwsEmulator
from shared.testing.instances import MODULES, Instance, Kind, bootstraps, local_settings
from shared.testing.ports import free_port
from shared.testing.processes import inherited_environment, run_to_end, together
from shared.testing.valkey import Valkey


class Stack:
    """An async context manager: inside it everything is ready, after it nothing is left.

    `folder` takes the logs and Redis's file; the emulator keeps its state in memory. The first auth is the
    issuer, so `auth_url` is the same as the `iss` of every token, whichever auth signed it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        auths: int = 1,
        processors: int = 1,
        workers: int = 1,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.redis = Valkey(self.folder / "redis")
        self.aws = AwsEmulator(self.folder / "aws")
        self.instances: list[Instance] = []
        self._counts: Mapping[Kind, int] = {"auth": auths, "processor": processors, "worker": workers}
        self._first_ports: Mapping[Kind, int] = {"auth": free_port(), "processor": free_port()}
        self._settings = dict(settings or {})

    @property
    def auth_url(self) -> str:
        return f"http://127.0.0.1:{self._first_ports['auth']}"

    @property
    def processor_url(self) -> str:
        """The first processor's address."""
        return self.of_kind("processor")[0].url

    @property
    def environment(self) -> dict[str, str]:
        """What an instance is started with, less its port: for commands that work on the same stores."""
        ours = local_settings(
            redis_url=self.redis.url,
            aws_endpoint_url=self.aws.url,
            issuer=self.auth_url,
            processor_port=self._first_ports["processor"],
        )
        return inherited_environment(extra={**ours, **self._settings})

    def of_kind(self, kind: Kind) -> list[Instance]:
        """The instances of one kind, in the order of their start; those that were killed are among them."""
        return [instance for instance in self.instances if instance.kind == kind]

    async def add(self, kind: Kind, **settings: str) -> Instance:
        """Starts one more instance and returns when it is ready. `settings` as in `MAYFLY_LOG_LEVEL="debug"`."""
        instance = self._new_instance(kind, settings)
        await instance.start()
        return instance

    async def __aenter__(self) -> Self:
        try:
            await together(self.redis.start(), self.aws.start())
            await together(*(run_to_end(child) for child in bootstraps(self.environment, self.folder / "logs")))
            # auth first: a processor is ready once it has auth's keys.
            for kind in MODULES:
                await together(*(self.add(kind) for _ in range(self._counts[kind])))
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        for servers in (self.instances, [self.aws, self.redis]):
            await together(*(server.stop() for server in servers if server.child.running))

    def _new_instance(self, kind: Kind, settings: Mapping[str, str]) -> Instance:
        siblings = self.of_kind(kind)
        name = f"{kind}-{len(siblings) + 1}"
        port = self._first_ports[kind] if kind in self._first_ports and not siblings else free_port()
        environment = {**self.environment, **settings}
        log_file = self.folder / "logs" / f"{name}.log"
        instance = Instance(kind, name, port=port, environment=environment, log_file=log_file)
        self.instances.append(instance)
        return instance
