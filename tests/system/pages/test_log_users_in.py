"""What the how-to page says about logging users in, done as it says."""

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx
import pytest

from shared.testing.processes import inherited_environment
from tests.support.browser_pages import Browser
from tests.support.markdown import ROOT, fences_of
from tests.support.system import System

pytestmark = pytest.mark.compose
_BLOCKS = [fence.text for fence in fences_of(ROOT / "docs/how-to/log-users-in.md") if fence.language == "sh"]
_REGISTER, _, _START, _ASK = _BLOCKS


async def _shell(commands: str, system: System, folder: Path, **variables: str) -> str:
    """What the last command prints."""
    here = commands.replace("AUTH=http://127.0.0.1:8001", f"AUTH={system.auth_url}")
    process = await asyncio.create_subprocess_exec(
        *("sh", "-euc", here),
        cwd=folder,
        env=inherited_environment(extra={"AUTH": system.auth_url, **variables}),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


async def _client(system: System, folder: Path) -> str:
    return (await _shell(f'{_REGISTER}\nprintf %s "$CLIENT"', system, folder)).strip()


async def test_a_program_logs_its_user_in_by_the_browser(system: System, tmp_path: Path) -> None:
    client_id = await _client(system, tmp_path)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "examples/log_in.py"), client_id, system.auth_url),
        env=inherited_environment(extra={"BROWSER": os.devnull}),
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    await program.stdout.readline()
    link = (await program.stdout.readline()).decode().strip()
    async with httpx.AsyncClient(base_url=system.auth_url) as http:
        browser = Browser(http)
        consent = await browser.log_in(await browser.get(link))
        back = await browser.send(consent, "allow")
        assert (await http.get(back.headers["location"])).text.startswith("You can close this window")
    said = (await program.stdout.read()).decode()
    assert await program.wait() == 0
    assert "scope jobs:read jobs:write" in said


async def test_a_device_is_let_in(system: System, tmp_path: Path) -> None:
    client_id = await _client(system, tmp_path)
    begun = json.loads(await _shell(_START, system, tmp_path, CLIENT=client_id))
    assert json.loads(await _shell(_ASK, system, tmp_path, CLIENT=client_id))["error"] == "authorization_pending"
    async with httpx.AsyncClient(base_url=system.auth_url) as http:
        browser = Browser(http)
        page = await browser.log_in(await browser.get(begun["verification_uri_complete"]), "alice", "wonderland-demo")
        confirm = await browser.send(page, "find")
        assert "Your device is let in" in (await browser.send(confirm, "allow")).text
    tokens = json.loads(await _shell(_ASK, system, tmp_path, CLIENT=client_id))
    assert tokens["scope"] == "jobs:read"
