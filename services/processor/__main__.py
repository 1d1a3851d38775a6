"""`python -m services.processor`: serves until SIGTERM."""

from services.processor.main import create_app
from services.processor.settings import ProcessorSettings
from shared.web.serve import run


def main() -> None:
    run(create_app, ProcessorSettings)


if __name__ == "__main__":
    main()
