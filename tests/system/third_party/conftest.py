"""Two clients of ours at the running system, and the Node packages that use them."""

import asyncio
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.welcome import DEMO_USERS
from shared.testing.processes import inherited_environment
from tests.support.system import System
from tests.support.third_party import install, missing_tools

FOLDER = Path(__file__).parent
_EVERY_GRANT = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
]


@dataclass(frozen=True)
class Subject:
    """What a client has to know: `web` keeps a secret, `app` can't."""

    issuer: str
    audience: str
    web: dict[str, Any]
    app: dict[str, Any]
    user: dict[str, str]


@pytest.fixture(scope="session")
async def subject(system: System) -> Subject:
    headers = {"authorization": f"Bearer {await system.token('admin')}"}
    async with httpx.AsyncClient(base_url=system.auth_url, headers=headers) as http:
        web = await _client(http, name="Web", auth_method="client_secret_post", may_introspect=True)
        app = await _client(http, name="App", auth_method="none")
        issuer = (await http.get("/.well-known/oauth-authorization-server")).json()["issuer"]
    user = {"username": "testuser", "password": DEMO_USERS["testuser"]}
    return Subject(issuer, "mayfly", web, app, user)


async def _client(http: httpx.AsyncClient, **more: object) -> dict[str, Any]:
    private = {"client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"}
    grants = [grant for grant in _EVERY_GRANT if more["auth_method"] != "none" or grant not in private]
    redirect_uri = "https://client.example/callback"
    body = {"grant_types": grants, "redirect_uris": [redirect_uri], "scope": "jobs:read jobs:write", **more}
    answer = await http.post("/api/clients", json=body)
    assert answer.status_code == 201, answer.text
    created = answer.json()
    return {
        "client_id": created["client_id"],
        "client_secret": created.get("client_secret"),
        "redirect_uri": redirect_uri,
    }


@dataclass(frozen=True)
class Node:
    """Runs one case of one of the scripts here."""

    subject: Subject

    async def run(self, script: str, case: str) -> None:
        environment = inherited_environment(extra={"SUBJECT": json.dumps(asdict(self.subject))})
        process = await asyncio.create_subprocess_exec(
            "node",
            str(FOLDER / script),
            case,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()


@pytest.fixture(scope="session")
def node_tools() -> None:
    """Skips, with the reason, where they are missing."""
    missing = missing_tools(shutil.which)
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="session")
async def node(node_tools: None, subject: Subject) -> Node:
    await install(FOLDER)
    return Node(subject)
