"""DynamoDB, S3, SQS and more on this machine: the `ministack` emulator as a child process.

It lives in a virtual environment of its own (requirements/emulator.lock): it pins another botocore than the services.
"""

import signal
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.testing.ports import free_port
from shared.testing.processes import Child, http_answers, inherited_environment
from shared.testing.valkey import ServerMissing

REPOSITORY = Path(__file__).resolve().parents[2]
EMULATOR_PYTHON = REPOSITORY / ".venv-emulator" / "bin" / "python"


class AwsEmulator:
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
        python: Path = EMULATOR_PYTHON,
    ) -> None:
        if not python.exists():
            raise ServerMissing(
                f"the AWS emulator's environment {python.parent.parent} is missing: `make run` makes it"
            )
        self.port = port or free_port()
        self.folder = folder.resolve()
        self.state_folder = state_folder.resolve() if state_folder else None
        self.child = Child(
            "aws emulator",
            [str(python), "-m", "ministack"],
            environment=self._environment(),
            log_file=self.folder / "ministack.log",
            working_folder=self.folder,
            # Were we killed, it would still save what it holds.
            parent_death_signal=signal.SIGTERM if state_folder else signal.SIGKILL,
        )

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> float:
        """Returns the seconds until its health page answered."""
        for folder in filter(None, (self.folder, self.state_folder)):
            folder.mkdir(parents=True, exist_ok=True)
        await self.child.start()
        return await self.child.ready(http_answers(f"{self.endpoint_url}/_ministack/health"), timeout_seconds=30.0)

    async def stop(self, grace_seconds: float = 30.0) -> None:
        """Ends it politely, which is when it saves its state."""
        await self.child.terminate(grace_seconds)

    async def kill(self) -> None:
        await self.child.kill()

    def pause(self) -> None:
        """It hangs (SIGSTOP): connections stay open, nothing is answered until `resume`."""
        self.child.stop_signal()

    def resume(self) -> None:
        self.child.resume()

    def _environment(self) -> dict[str, str]:
        settings = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "TMPDIR": str(self.folder),
        }
        if self.state_folder is not None:
            # Both or neither: one alone brings back rows without their objects, or objects without their rows.
            settings |= {"PERSIST_STATE": "1", "STATE_DIR": str(self.state_folder / "state")}
            settings |= {"S3_PERSIST": "1", "S3_DATA_DIR": str(self.state_folder / "s3")}
        foreign = ("MAYFLY_", "AWS_", "PYTEST_", "COV_", "PYTHON", "MINISTACK_", "LOCALSTACK_", "S3_", "PERSIST_")
        return inherited_environment(without=foreign, extra=settings)

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
