"""Generated requests, good and bad, against a running auth: each answer is one that the contract names."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from services.auth.domain.access_tokens import Grant, access_claims
from services.auth.settings import AuthSettings
from services.auth.signing_keys import load_static_keys
from shared import clock
from shared.ids import new_id
from shared.testing.aws_emulator import REPOSITORY
from shared.testing.ports import free_port
from shared.testing.processes import Child, http_answers, inherited_environment
from shared.tokens.compact import ACCESS_TOKEN_TYPE
from shared.tokens.signature import sign
from tests.service.auth.conftest import MakeSettings

# They end the very token that the requests are made with, so each is tried by itself.
LAST_ACTS = {"logout": "POST /api/logout", "end-all": "DELETE /api/sessions", "revoke": "POST /api/admin/revocations"}
OAUTH = "^/oauth2/"
RUNS: Mapping[str, tuple[int, list[str]]] = {
    "api": (
        12,
        ["--exclude-path-regex", OAUTH, *(part for act in LAST_ACTS.values() for part in ("--exclude-name", act))],
    ),
    "oauth": (8, ["--include-path-regex", OAUTH]),
    **{run: (3, ["--include-name", act]) for run, act in LAST_ACTS.items()},
}
# Our schemas can't say which users, clients and tokens there are: what fits the schema may still be refused.
LEFT_OUT = "positive_data_acceptance"


@pytest.mark.parametrize("run", RUNS)
async def test_generated_requests_get_the_answers_of_the_contract(
    make_settings: MakeSettings, tmp_path: Path, run: str
) -> None:
    seconds, options = RUNS[run]
    if run != "oauth":  # there, clients authenticate
        options = [*options, "--header", f"Authorization: Bearer {_admin_token(make_settings())}"]
    limits = dict.fromkeys(("attempts_free_per_pair", "attempts_free_per_user"), 1000)
    settings = make_settings(**limits, attempts_free_per_address=150)
    server = _auth_child(settings, port := free_port(), tmp_path)
    await server.start()
    try:
        url = f"http://127.0.0.1:{port}"
        await server.ready(http_answers(f"{url}/readyz"), timeout_seconds=20)
        schemathesis = _schemathesis_child(url, tmp_path, seconds, options)
        await schemathesis.start()
        exit_code = await schemathesis.wait()
    finally:
        await server.terminate()
    assert exit_code == 0, schemathesis.log_file.read_text(encoding="utf-8")[-5000:]


def _admin_token(settings: AuthSettings) -> str:
    """Of a user whom nobody knows, so that no generated revocation meets it."""
    now = int(clock.now())
    claims = access_claims(
        Grant("user_generated", "mayfly-login", frozenset({"admin", "jobs:read"}), "ses_generated", "generated"),
        token_id=new_id("tok"),
        issuer=settings.issuer,
        audience=settings.audience,
        issued_at=now,
        expires_at=now + 600,
    )
    keys = load_static_keys(settings)
    assert keys is not None
    return sign({"typ": ACCESS_TOKEN_TYPE}, claims, keys.active)


def _auth_child(settings: AuthSettings, port: int, folder: Path) -> Child:
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    ours = {f"MAYFLY_{name.upper()}": _text(value) for name, value in given.items()} | {"MAYFLY_PORT": str(port)}
    return Child(
        "auth",
        [sys.executable, "-m", "services.auth"],
        environment=inherited_environment(extra=ours),
        log_file=folder / "auth.log",
        working_folder=REPOSITORY,
    )


def _text(value: object) -> str:
    secret = getattr(value, "get_secret_value", None)
    return str(secret() if secret else value)


def _schemathesis_child(url: str, folder: Path, seconds: int, options: Sequence[str]) -> Child:
    arguments = [
        *("run", f"{url}/openapi.json", *options),
        *("--checks", "all", "--exclude-checks", LEFT_OUT, "--max-examples", "25", "--max-time", str(seconds)),
        *("--phases", "examples,coverage,fuzzing", "--seed", "1", "--no-shrink", "--continue-on-failure"),
        *("--max-redirects", "0", "--output-truncate", "false"),
    ]
    return Child(
        "schemathesis",
        [str(Path(sys.executable).with_name("st")), *arguments],
        environment=inherited_environment(),
        log_file=folder / "schemathesis.log",
        working_folder=folder,
    )
