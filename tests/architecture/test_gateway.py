"""The compose stack's gateway, against the contracts of the services behind it."""

import json
import re

import pytest

from services.processor.settings import ProcessorSettings
from shared.settings import load
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


def test_a_silent_stream_of_events_outlives_the_gateways_patience() -> None:
    patience = min(int(seconds) for seconds in re.findall(r"timeout (?:client|server) (\d+)s", GATEWAY))
    assert 2 * load(ProcessorSettings).event_heartbeat_seconds < patience
