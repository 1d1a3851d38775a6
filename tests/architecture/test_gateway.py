"""The compose stack's gateway, against the contracts of the services behind it."""

import json
import re

import pytest

from tests.support.markdown import ROOT

GATEWAY = (ROOT / "deploy/gateway/haproxy.cfg").read_text(encoding="utf-8")
TO_AUTH = [prefix for line in re.findall(r"acl to_auth path -i -m beg (.+)", GATEWAY) for prefix in line.split()]


@pytest.mark.parametrize("service", ["auth", "processor"])
def test_the_gateway_sends_each_route_to_its_service(service: str) -> None:
    contract = json.loads((ROOT / f"tests/contract/{service}/openapi.json").read_text(encoding="utf-8"))
    paths = [path for path in contract["paths"] if path.startswith(("/api/", "/oauth2/", "/.well-known/"))]
    assert paths
    misled = [path for path in paths if path.startswith(tuple(TO_AUTH)) != (service == "auth")]
    assert misled == []
