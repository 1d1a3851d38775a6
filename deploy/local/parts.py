"""The local run's servers, made from its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.settings import LocalSettings
from shared.testing.aws_emulator import AwsEmulator
from shared.testing.instances import Instance, Kind, bootstraps, local_settings
from shared.testing.processes import inherited_environment, run_to_end, together
from shared.testing.valkey import Valkey


@dataclass(frozen=True, slots=True)
class Parts:
    """Every server of the local run. `redis` is None when the person brings one."""

    redis: Valkey | None
    aws: AwsEmulator
    auth: Instance
    processor: Instance
    worker: Instance
    environment: Mapping[str, str]
    log_folder: Path

    @property
    def services(self) -> tuple[Instance, Instance, Instance]:
        return self.auth, self.processor, self.worker

    async def bootstrap(self) -> None:
        """Makes tables, bucket, queues, the signing key and the demo users, where they are missing."""
        await together(*(run_to_end(child) for child in bootstraps(self.environment, self.log_folder)))


def make_parts(settings: LocalSettings) -> Parts:
    """Starts nothing. ServerMissing when a server's program is not here."""
    folder = settings.local_folder.resolve()
    logs = folder / "logs"
    redis, redis_url = None, settings.redis_url
    if redis_url is None:
        port, server = settings.redis_port, settings.redis_server
        redis = Valkey(folder / "redis", port=port, server=server, log_file=logs / "redis.log")
        redis_url = redis.url
    aws = AwsEmulator(folder / "aws", port=settings.aws_port, state_folder=folder / "aws", log_file=logs / "aws.log")
    ours = local_settings(
        redis_url=redis_url,
        aws_endpoint_url=aws.url,
        issuer=f"http://127.0.0.1:{settings.auth_port}",
        processor_port=settings.processor_port,
    )
    environment = inherited_environment(without=("AWS_",), extra=ours)

    def instance(kind: Kind, port: int) -> Instance:
        return Instance(kind, kind, port=port, environment=environment, log_file=logs / f"{kind}.log")

    return Parts(
        redis=redis,
        aws=aws,
        auth=instance("auth", settings.auth_port),
        processor=instance("processor", settings.processor_port),
        worker=instance("worker", settings.worker_port),
        environment=environment,
        log_folder=logs,
    )
