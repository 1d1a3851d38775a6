"""`python -m services.processor.worker`: works until SIGTERM."""

import sys

from services.processor.settings import ProcessorSettings
from services.processor.worker.app import create_app
from shared.settings import SettingsError, load
from shared.telemetry.logs import configure_logs
from shared.web.serve import DrainingServer


def main() -> None:
    try:
        settings = load(ProcessorSettings)
        app = create_app(settings)
    except SettingsError as error:
        sys.exit(f"mayfly: {error}")
    configure_logs(settings)
    server = DrainingServer(app, settings.model_copy(update={"port": settings.worker_port}))
    server.run()
    sys.exit(0 if server.started else 1)


if __name__ == "__main__":
    main()
