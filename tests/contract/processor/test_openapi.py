"""What the processor says of itself, kept in a file so that a change of the contract is seen in a review.

`MAYFLY_UPDATE_SNAPSHOTS=1 pytest tests/contract/processor/test_openapi.py` writes the file anew.
"""

from pathlib import Path
from typing import Any

import pytest

from services.processor.main import create_app
from services.processor.settings import ProcessorSettings
from shared.settings import load
from shared.tokens.pem_keys import generate_pem
from tests.support.openapi import is_as_kept, operations

SNAPSHOT = Path(__file__).with_name("openapi.json")


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return create_app(load(ProcessorSettings, context_key=generate_pem("ES256"))).openapi()


def test_the_contract_is_the_one_in_the_file(openapi: dict[str, Any]) -> None:
    assert is_as_kept(openapi, SNAPSHOT), "the contract has changed; see the top of this file"


def test_every_route_of_the_api_is_there(openapi: dict[str, Any]) -> None:
    ours = {name for name, _ in operations(openapi) if " /api/" in name}
    assert ours == {
        "POST /api/process",
        "GET /api/process",
        "DELETE /api/process/{processing_id}",
        "GET /api/status/{processing_id}",
        "GET /api/status/{processing_id}/events",
        "GET /api/results/{processing_id}",
        "GET /api/pipelines",
        "GET /api/pipelines/{name}",
        "PUT /api/pipelines/{name}",
        "DELETE /api/pipelines/{name}",
        "POST /api/preview",
        "POST /api/uploads",
        "POST /api/uploads/complete",
    }


def test_every_route_has_a_summary_a_description_and_its_problems(openapi: dict[str, Any]) -> None:
    for name, operation in operations(openapi):
        assert operation["summary"], name
        assert operation["description"], name
        if " /api/" in name:
            assert {"401", "403", "503"} <= set(operation["responses"]), name
            assert operation["security"], name


def test_every_body_has_examples_and_the_smallest_comes_first(openapi: dict[str, Any]) -> None:
    bodies = {name: operation["requestBody"] for name, operation in operations(openapi) if "requestBody" in operation}
    assert set(bodies) == {
        "POST /api/process",
        "PUT /api/pipelines/{name}",
        "POST /api/preview",
        "POST /api/uploads",
        "POST /api/uploads/complete",
    }
    examples = bodies["POST /api/process"]["content"]["application/json"]["examples"]
    assert next(iter(examples.values()))["value"] == {"data_source": "test", "config": {}}
