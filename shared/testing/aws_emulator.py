"""DynamoDB, S3, SQS and more on this machine: the `ministack` emulator as a child process.

It lives in a virtual environment of its own (requirements/emulator.lock): it pins another botocore than the services.
"""

import signal
from pathlib import Path

from shared.testing.ports import free_port
from shared.testing.processes import Child, http_answers, inherited_environment
from shared.testing.server import Server, ServerMissing

REPOSITORY = Path(__file__).resolve().parents[2]
EMULATOR_PYTHON = REPOSITORY / ".venv-emulator" / "bin" / "python"


class AwsEmulator(Server):
    """The emulator on 127.0.0.1. Any credentials are good; expiry and signatures of presigned URLs are not enforced.

    Without `state_folder` all is kept in memory and gone with the process. With it, everything comes back after a
    polite stop; after SIGKILL only the objects of S3 do. `folder` holds its log and its temporary files.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        state_folder: Path | None = None,
        log_file: Path | None = None,
        python: Path = EMULATOR_PYTHON,
    ) -> None:
        if not python.exists():
            raise ServerMissing(
                f"the AWS emulator's environment {python.parent.parent} is missing: `make run` makes it"
            )
        port = port or free_port()
        self.folder = folder.resolve()
        self.state_folder = state_folder.resolve() if state_folder else None
        child = Child(
            "aws",
            [str(python), "-m", "ministack"],
            environment=self._environment(port),
            log_file=log_file or self.folder / "ministack.log",
            working_folder=self.folder,
            # Were we killed, it would still save what it holds.
            parent_death_signal=signal.SIGTERM if state_folder else signal.SIGKILL,
        )
        for needed in filter(None, (self.folder, self.state_folder)):
            needed.mkdir(parents=True, exist_ok=True)
        super().__init__(port, child, http_answers(f"http://127.0.0.1:{port}/_ministack/health"))

    def _environment(self, port: int) -> dict[str, str]:
        settings = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "TMPDIR": str(self.folder),
        }
        if self.state_folder is not None:
            # Both or neither: one alone brings back rows without their objects, or objects without their rows.
            settings |= {"PERSIST_STATE": "1", "STATE_DIR": str(self.state_folder / "state")}
            settings |= {"S3_PERSIST": "1", "S3_DATA_DIR": str(self.state_folder / "s3")}
        foreign = ("MAYFLY_", "AWS_", "PYTEST_", "PYTHON", "MINISTACK_", "LOCALSTACK_", "S3_", "PERSIST_")
        return inherited_environment(without=foreign, extra=settings)
