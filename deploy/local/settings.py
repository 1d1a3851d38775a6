"""What can be chosen about the local run: MAYFLY_… variables, which the services started by it see as well."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings import SettingsError
from shared.testing.ports import free_port, port_is_free
from shared.testing.valkey import WHEEL


class LocalSettings(BaseSettings):
    """Redis and AWS sit beside their usual ports (6379, 4566): this machine may have a Redis or a LocalStack there."""

    model_config = SettingsConfigDict(env_prefix="MAYFLY_", extra="ignore", frozen=True)

    auth_port: int = Field(8001, ge=1, le=65535, description="auth listens here.")
    processor_port: int = Field(8002, ge=1, le=65535, description="The processor listens here.")
    worker_port: int = Field(8003, ge=1, le=65535, description="The worker answers health and metrics here.")
    redis_port: int = Field(16379, ge=1, le=65535, description="The Redis that is started listens here.")
    aws_port: int = Field(14566, ge=1, le=65535, description="The AWS emulator listens here.")
    redis_url: str | None = Field(None, description="A Redis that runs already; none is started then.")
    redis_server: str = Field(WHEEL, description="`wheel`, or the name or path of a Redis or Valkey server.")
    local_folder: Path = Field(Path(".mayfly"), description="Where everything is kept between two runs.")

    @property
    def ports(self) -> dict[str, int]:
        """The ports that will be listened on, by the name of their setting."""
        names = ["auth_port", "processor_port", "worker_port", "aws_port"]
        if self.redis_url is None:
            names.append("redis_port")
        return {f"MAYFLY_{name.upper()}": getattr(self, name) for name in names}


def load_local_settings() -> LocalSettings:
    """Raises SettingsError with one line that names each wrong value."""
    try:
        return LocalSettings()
    except ValidationError as error:
        wrong = [f"MAYFLY_{str(detail['loc'][0]).upper()}: {detail['msg']}" for detail in error.errors()]
        raise SettingsError("; ".join(wrong)) from None


def require_free(ports: Mapping[str, int]) -> None:
    """Ports by the name of their setting; SettingsError when one is named twice or is taken."""
    if len(set(ports.values())) < len(ports):
        raise SettingsError(f"two settings name the same port: {_listed(ports)}")
    taken = {name: port for name, port in ports.items() if not port_is_free(port)}
    if taken:
        name = next(iter(taken))
        raise SettingsError(
            f"already taken on this machine: {_listed(taken)}. End what listens there, or choose another port: "
            f"{name}={free_port()} make run"
        )


def _listed(ports: Mapping[str, int]) -> str:
    return ", ".join(f"port {port} ({name})" for name, port in ports.items())
