"""Security decisions leave a line each, and no line holds a secret."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx

from services.auth.settings import AuthSettings
from shared.testing.aws_emulator import REPOSITORY
from shared.testing.ports import free_port
from shared.testing.processes import Child, http_answers, inherited_environment
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import DEMO_CLIENT


def _child(settings: AuthSettings, port: int, log_file: Path) -> Child:
    assert settings.signing_key is not None
    given = {
        "signing_key": settings.signing_key.get_secret_value(),
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    names = ("redis_url", "aws_endpoint_url", "table_prefix", "signing_algorithm")
    given |= {name: str(getattr(settings, name)) for name in names} | {"port": str(port), "log_format": "json"}
    environment = inherited_environment(extra={f"MAYFLY_{name.upper()}": value for name, value in given.items()})
    command = [sys.executable, "-m", "services.auth"]
    return Child("auth", command, environment=environment, log_file=log_file, working_folder=REPOSITORY)


async def _act(http: httpx.AsyncClient) -> list[str]:
    """Everything that has to do with a secret; the secrets."""
    login = {"username": "testuser", "password": "testpass"}
    tokens = (await http.post("/api/login", json=login)).json()
    await http.post("/api/login", json=login | {"password": "a-wrong-one"})
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    successor = (await http.post("/oauth2/token", data=form)).json()
    client = (await http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=DEMO_CLIENT)).json()
    await http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=("demo-service", "a-wrong-secret"))
    await http.post("/oauth2/revoke", data={"token": client["access_token"]}, auth=DEMO_CLIENT)
    await http.post("/api/logout", headers={"authorization": f"Bearer {tokens['token']}"})
    await http.get("/api/me", headers={"authorization": f"Bearer {tokens['token']}"})
    secrets = [tokens["refresh_token"], successor["refresh_token"]]
    access = [tokens["token"], successor["access_token"], client["access_token"]]
    return [*(secret.partition(".")[2] for secret in secrets), *access, "testpass", "a-wrong", DEMO_CLIENT[1]]


async def test_each_decision_is_logged_and_nothing_secret_with_it(make_settings: MakeSettings, tmp_path: Path) -> None:
    child = _child(make_settings(), port := free_port(), tmp_path / "auth.log")
    await child.start()
    await child.ready(http_answers(f"http://127.0.0.1:{port}/readyz"), timeout_seconds=20)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        secrets = await _act(http)
    assert await child.terminate() == 0
    text = await asyncio.to_thread(child.log_file.read_text)
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    events = {line["event"] for line in lines}
    decisions = {"login", "token-refresh", "client-token", "client-authentication", "token-revocation", "logout"}
    assert decisions | {"oauth_request_refused", "token_refused"} <= events
    assert [line["reason"] for line in lines if line["event"] == "token_refused"] == ["revoked"]
    logins = [(line["outcome"], line.get("reason")) for line in lines if line["event"] == "login"]
    assert logins == [("succeeded", None), ("refused", "wrong_password")]
    assert {line["address"] for line in lines if line["event"] in decisions} == {"127.0.0.1"}
    assert [secret for secret in secrets if secret in text] == []
