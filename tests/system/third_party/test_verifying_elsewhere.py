"""The how-to's verifier, against the running system: it learns of a logout within what the metadata promises."""

import asyncio
import sys

import httpx
import pytest

from shared import clock
from shared.testing.processes import inherited_environment
from tests.support.markdown import ROOT
from tests.support.system import System

pytestmark = pytest.mark.compose


async def _verify(token: str, issuer: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "examples/verify_elsewhere.py", token, issuer),
        cwd=ROOT,
        env=inherited_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode().strip()


@pytest.fixture
async def metadata(system: System) -> dict[str, object]:
    async with httpx.AsyncClient(base_url=system.auth_url) as http:
        document: dict[str, object] = (await http.get("/.well-known/oauth-authorization-server")).json()
    return document


async def test_it_accepts_a_token_until_its_session_ends(system: System, metadata: dict[str, object]) -> None:
    issuer, bound = str(metadata["issuer"]), float(str(metadata["status_list_max_staleness"]))
    token = await system.token()
    assert await _verify(token, issuer) == (0, "good: user_testuser")
    async with httpx.AsyncClient(base_url=system.auth_url, headers={"authorization": f"Bearer {token}"}) as http:
        assert (await http.post("/api/logout")).is_success
    ended_at = clock.monotonic()
    answer = await _verify(token, issuer)
    while answer[0] == 0 and clock.monotonic() < ended_at + bound:
        await asyncio.sleep(0.5)
        answer = await _verify(token, issuer)
    assert answer == (1, "refused: the token is revoked")


async def test_it_refuses_what_is_no_access_token_of_ours(system: System, metadata: dict[str, object]) -> None:
    token = await system.token()
    for forged in (token[:-4] + "AAAA", "a.b.c", ""):
        code, output = await _verify(forged, str(metadata["issuer"]))
        assert (code, output.partition(":")[0]) == (1, "refused")
