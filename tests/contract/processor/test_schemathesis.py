"""Generated requests, good and bad, against a running processor: each answer is one that the contract names."""

import sys
from pathlib import Path

from services.processor.settings import ProcessorSettings
from shared.testing.aws_emulator import REPOSITORY
from shared.testing.ports import free_port
from shared.testing.processes import Child, http_answers, inherited_environment
from shared.testing.tokens import TokenFactory
from tests.service.processor.conftest import MakeSettings

SECONDS = 25
# Our schemas can't say which sources and pipelines there are: what fits the schema may still be a 422.
LEFT_OUT = "positive_data_acceptance"


async def test_generated_requests_get_the_answers_of_the_contract(
    make_settings: MakeSettings, tokens: TokenFactory, tmp_path: Path
) -> None:
    settings = make_settings(default_wait_seconds=0, max_wait_seconds=0, event_stream_seconds=0.5)
    server = processor_child(settings, port := free_port(), tmp_path)
    await server.start()
    try:
        url = f"http://127.0.0.1:{port}"
        await server.ready(http_answers(f"{url}/readyz"), timeout_seconds=20)
        schemathesis = schemathesis_child(url, tokens.mint(sub="usr_ada"), tmp_path)
        await schemathesis.start()
        exit_code = await schemathesis.wait()
    finally:
        await server.terminate()
    assert exit_code == 0, schemathesis.log_file.read_text(encoding="utf-8")[-5000:]


def processor_child(settings: ProcessorSettings, port: int, folder: Path) -> Child:
    given = {name: getattr(settings, name) for name in settings.model_fields_set - {"port"}}
    ours = {f"MAYFLY_{name.upper()}": _text(value) for name, value in given.items()} | {"MAYFLY_PORT": str(port)}
    return Child(
        "processor",
        [sys.executable, "-m", "services.processor"],
        environment=inherited_environment(extra=ours),
        log_file=folder / "processor.log",
        working_folder=REPOSITORY,
    )


def _text(value: object) -> str:
    secret = getattr(value, "get_secret_value", None)
    return str(secret() if secret else value)


def schemathesis_child(url: str, token: str, folder: Path) -> Child:
    arguments = [
        *("run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {token}"),
        *("--checks", "all", "--exclude-checks", LEFT_OUT, "--max-examples", "25", "--max-time", str(SECONDS)),
        *("--phases", "examples,coverage,fuzzing", "--seed", "1", "--no-shrink", "--continue-on-failure"),
        *("--include-path-regex", "^/api/", "--max-redirects", "0", "--output-truncate", "false"),
    ]
    return Child(
        "schemathesis",
        [str(Path(sys.executable).with_name("st")), *arguments],
        environment=inherited_environment(),
        log_file=folder / "schemathesis.log",
        working_folder=folder,
    )
