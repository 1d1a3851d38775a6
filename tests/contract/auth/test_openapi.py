"""What auth says of itself, kept in a file so that a change of the contract is seen in a review.

`MAYFLY_UPDATE_SNAPSHOTS=1 pytest tests/contract/auth/test_openapi.py` writes the file anew.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from services.auth.main import create_app
from services.auth.settings import AuthSettings
from shared.settings import load
from shared.tokens.pem_keys import generate_pem
from tests.support.openapi import is_as_kept, operations

SNAPSHOT = Path(__file__).with_name("openapi.json")


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    settings = load(AuthSettings, signing_algorithm="ES256", signing_key=generate_pem("ES256"))
    return create_app(settings).openapi()


def _operations(openapi: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [each for each in operations(openapi) if each[0].partition(" ")[2] not in {"/livez", "/readyz", "/metrics"}]


def test_the_contract_is_the_one_in_the_file(openapi: dict[str, Any]) -> None:
    assert is_as_kept(openapi, SNAPSHOT), "the contract has changed; see the top of this file"


def test_every_route_is_there_and_none_besides(openapi: dict[str, Any]) -> None:
    assert {name for name, _ in _operations(openapi)} == {
        "POST /api/login",
        "POST /api/logout",
        "GET /api/me",
        "POST /api/me/password",
        "POST /api/users",
        "GET /api/users",
        "GET /api/users/{user_id}",
        "PATCH /api/users/{user_id}",
        "DELETE /api/users/{user_id}",
        "POST /api/users/{user_id}/revoke",
        "GET /api/audit",
        "GET /api/sessions",
        "DELETE /api/sessions",
        "DELETE /api/sessions/{session_id}",
        "POST /api/api-keys",
        "GET /api/api-keys",
        "DELETE /api/api-keys/{key_id}",
        "POST /api/clients",
        "GET /api/clients",
        "GET /api/clients/{client_id}",
        "PATCH /api/clients/{client_id}",
        "DELETE /api/clients/{client_id}",
        "POST /api/clients/{client_id}/secrets",
        "DELETE /api/clients/{client_id}/secrets/{secret_id}",
        "POST /api/admin/revocations",
        "GET /api/admin/keys",
        "POST /api/admin/keys/rotate",
        "POST /api/admin/keys/{kid}/distrust",
        "POST /oauth2/token",
        "POST /oauth2/revoke",
        "POST /oauth2/introspect",
        "GET /oauth2/authorize",
        "POST /oauth2/authorize",
        "GET /oauth2/status-lists/{list_id}",
        "POST /oauth2/device_authorization",
        "GET /oauth2/device",
        "POST /oauth2/device",
        "GET /.well-known/jwks.json",
        "GET /.well-known/oauth-authorization-server",
        "GET /.well-known/openid-configuration",
    }


def test_every_route_has_a_summary_and_a_description(openapi: dict[str, Any]) -> None:
    for name, operation in _operations(openapi):
        assert operation["summary"], name
        assert operation["description"], name


def test_every_route_with_a_token_names_what_it_may_be_refused_with(openapi: dict[str, Any]) -> None:
    secured = {name: operation for name, operation in _operations(openapi) if "security" in operation}
    assert len(secured) == 27
    for name, operation in secured.items():
        assert {"400", "401", "503"} <= operation["responses"].keys(), name
    assert secured["POST /api/admin/revocations"]["security"] == [{"bearer": ["admin"]}, {"oauth2": ["admin"]}]
    assert "403" in secured["POST /api/admin/revocations"]["responses"]


def test_every_body_has_an_example_and_its_limits(openapi: dict[str, Any]) -> None:
    bodies = {name: operation for name, operation in _operations(openapi) if "requestBody" in operation}
    assert set(bodies) == {
        "POST /api/users", "PATCH /api/users/{user_id}", "POST /api/me/password",
        "POST /api/login", "POST /api/admin/revocations", "POST /oauth2/token", "POST /oauth2/revoke",
        "POST /oauth2/authorize",
        "POST /oauth2/introspect", "POST /api/api-keys",
        "POST /oauth2/device_authorization", "POST /oauth2/device",
        "POST /api/clients", "PATCH /api/clients/{client_id}", "POST /api/clients/{client_id}/secrets",
    }  # fmt: skip
    for name, operation in bodies.items():
        (content,) = operation["requestBody"]["content"].values()
        assert "example" in json.dumps(_resolved(openapi, content["schema"])), name
        assert {"400", "413"} <= operation["responses"].keys(), name


def _resolved(openapi: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found
