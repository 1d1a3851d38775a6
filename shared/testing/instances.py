"""One auth, processor or worker as a child process."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from shared.testing.aws_emulator import REPOSITORY
from shared.testing.processes import Child, http_answers
from shared.testing.server import Server

Kind = Literal["auth", "processor", "worker"]

MODULES: Mapping[Kind, str] = {
    "auth": "services.auth",
    "processor": "services.processor",
    "worker": "services.processor.worker",
}
_PORT_SETTINGS: Mapping[Kind, str] = {"auth": "MAYFLY_PORT", "processor": "MAYFLY_PORT", "worker": "MAYFLY_WORKER_PORT"}


class Instance(Server):
    """One auth, processor or worker. `url` is its address; a worker answers its health and metrics there."""

    def __init__(self, kind: Kind, name: str, *, port: int, environment: Mapping[str, str], log_file: Path) -> None:
        child = Child(
            name,
            [sys.executable, "-m", MODULES[kind]],
            environment={**environment, _PORT_SETTINGS[kind]: str(port)},
            log_file=log_file,
            working_folder=REPOSITORY,
        )
        super().__init__(port, child, http_answers(f"http://127.0.0.1:{port}/readyz"))
        self.kind = kind
        self.name = name


def local_settings(*, redis_url: str, aws_endpoint_url: str, issuer: str, processor_port: int) -> dict[str, str]:
    """The MAYFLY_… variables that every instance in local mode needs. The docs page of the first processor logs in."""
    return {
        "MAYFLY_MODE": "local",
        "MAYFLY_HOST": "127.0.0.1",
        "MAYFLY_REDIS_URL": redis_url,
        "MAYFLY_AWS_ENDPOINT_URL": aws_endpoint_url,
        "MAYFLY_SSM_PREFIX": "/mayfly/local/settings",
        "MAYFLY_AWS_REGION": "us-east-1",
        "MAYFLY_AWS_ACCESS_KEY_ID": "test",
        "MAYFLY_AWS_SECRET_ACCESS_KEY": "test",
        "MAYFLY_ISSUER": issuer,
        "MAYFLY_DOCS_ORIGINS": f"http://127.0.0.1:{processor_port},http://localhost:{processor_port}",
        "MAYFLY_EVENT_BUS": "mayfly",
        "MAYFLY_TRIGGER_QUEUE_NAME": "mayfly-triggers",
        "MAYFLY_LOG_FORMAT": "json",
        # The emulator ends only after the last poll has: up to 20 s after its client went away.
        "MAYFLY_LONG_POLL_SECONDS": "1",
    }


def bootstraps(environment: Mapping[str, str], log_folder: Path) -> list[Child]:
    """The commands that make tables, bucket, queues, keys and demo users; they may run side by side, and again."""
    return [
        Child(
            module,
            [sys.executable, "-m", module],
            environment=environment,
            log_file=log_folder / f"{module}.log",
            working_folder=REPOSITORY,
        )
        for module in ("services.auth.bootstrap", "services.processor.bootstrap")
    ]
