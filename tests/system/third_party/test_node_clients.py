"""What strict client libraries of Node do with our server, over real sockets: each case of their scripts."""

import json
import re
from pathlib import Path

import pytest

from tests.support.markdown import ROOT
from tests.system.third_party.conftest import Node

pytestmark = pytest.mark.compose
FOLDER = Path(__file__).parent


def _cases(script: str) -> list[str]:
    return re.findall(r"^  async (\w+)\(\)", (FOLDER / script).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("case", _cases("oauth4webapi.mjs"))
async def test_oauth4webapi_accepts_what_it_is_answered(node: Node, case: str) -> None:
    await node.run("oauth4webapi.mjs", case)


@pytest.mark.parametrize("case", _cases("openid_client.mjs"))
async def test_openid_client_accepts_what_it_is_answered(node: Node, case: str) -> None:
    await node.run("openid_client.mjs", case)


@pytest.mark.parametrize("folder", ["tests/system/third_party", "benchmarks/load/node_oidc_provider"])
def test_a_lock_names_hashes_and_no_place(folder: str) -> None:
    lock = (ROOT / folder / "package-lock.json").read_text(encoding="utf-8")
    assert all(package.get("integrity") for path, package in json.loads(lock)["packages"].items() if path)
    assert "://" not in lock
