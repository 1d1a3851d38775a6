"""Running an application: uvicorn, one process, with a stop that loses nothing."""

import asyncio
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from shared.settings import SettingsError, SharedSettings, load
from shared.telemetry.logs import configure_logs, get_logger
from shared.web.connection import Connection

log = get_logger(__name__)
AnySettings = TypeVar("AnySettings", bound=SharedSettings)


def run(create_app: Callable[[AnySettings], FastAPI], settings_class: type[AnySettings]) -> None:
    """Read the settings, serve until SIGTERM or SIGINT, and end the process: 0 after a stop, 1 with one clear line."""
    try:
        settings = load(settings_class)
        app = create_app(settings)
    except SettingsError as error:
        sys.exit(f"mayfly: {error}")
    configure_logs(settings)
    server = DrainingServer(app, settings)
    server.run()
    sys.exit(0 if server.started else 1)


class DrainingServer(uvicorn.Server):
    """On the first signal `/readyz` turns 503 at once; after `drain_seconds` no connection is taken any more."""

    def __init__(self, app: FastAPI, settings: SharedSettings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                http=Connection.of(settings.header_timeout_seconds),
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=65,
                timeout_graceful_shutdown=settings.shutdown_deadline_seconds,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=settings.trusted_proxies or None,
            )
        )
        self._app = app
        self._drain_seconds = settings.drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a signal handler
        """Uvicorn's own would end the process by the signal again; a stop that was asked for ends with 0."""
        if self._app.state.draining:
            self.should_exit = True
            self.force_exit = sig == signal.SIGINT
            return
        self._app.state.draining = True
        log.info("stopping", drain_seconds=self._drain_seconds)
        asyncio.get_running_loop().call_later(self._drain_seconds, setattr, self, "should_exit", True)
