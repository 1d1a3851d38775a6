"""Pages of other origins read what browser apps need, if the settings name them; nothing else, and nobody else."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import Auth, running

APP, DOCS, STRANGER = "https://app.example", "https://jobs.example", "https://evil.example"
READABLE = ("/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")


@pytest.fixture
async def open_auth(make_settings: MakeSettings) -> AsyncIterator[Auth]:
    async with running(make_settings(cors_origins=f"{APP}, https://two.example/", docs_origins=DOCS)) as auth:
        yield auth


async def _preflight(auth: Auth, path: str, origin: str) -> httpx.Response:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    return await auth.http.options(path, headers=headers | {"access-control-request-headers": "x-requested-with"})


@pytest.mark.parametrize("origin", [APP, DOCS, "https://two.example"])
async def test_an_app_that_is_named_may_ask_for_tokens(open_auth: Auth, origin: str) -> None:
    allowed = await _preflight(open_auth, "/oauth2/token", origin)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, origin)
    assert "x-requested-with" in allowed.headers["access-control-allow-headers"]
    refused = await open_auth.http.post("/oauth2/token", data={"grant_type": "none"}, headers={"origin": origin})
    assert refused.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in refused.headers


@pytest.mark.parametrize("path", READABLE)
async def test_keys_and_metadata_are_readable_also_when_they_have_not_changed(open_auth: Auth, path: str) -> None:
    first = await open_auth.http.get(path, headers={"origin": APP})
    again = await open_auth.http.get(path, headers={"origin": APP, "if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    for response in (first, again):
        assert response.headers["access-control-allow-origin"] == APP
        assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", [STRANGER, "null", "", f"{APP}.evil.example", APP.upper(), "*"])
async def test_a_stranger_is_told_nothing(open_auth: Auth, origin: str) -> None:
    assert (await _preflight(open_auth, "/oauth2/token", origin)).status_code == 405
    for path in READABLE:
        response = await open_auth.http.get(path, headers={"origin": origin})
        assert "access-control-allow-origin" not in response.headers
        assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize("path", ["/api/login", "/oauth2/authorize", "/api/me", "/oauth2/revoke", "/oauth2/token/"])
async def test_other_routes_are_for_no_other_origin(open_auth: Auth, path: str) -> None:
    response = await _preflight(open_auth, path, APP)
    assert "access-control-allow-origin" not in response.headers
    assert response.status_code in {404, 405}


async def test_outside_local_mode_nobody_is_named(make_settings: MakeSettings) -> None:
    assert make_settings(mode="production", aws_endpoint_url=None).allowed_origins == frozenset()
    assert "http://127.0.0.1:8002" in make_settings().allowed_origins
