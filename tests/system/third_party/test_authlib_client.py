"""Authlib's client, over real sockets."""

from typing import Any

import httpx
import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from tests.support.browser_pages import Browser, answer_of
from tests.system.third_party.conftest import Subject

pytestmark = pytest.mark.compose
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture
async def metadata(subject: Subject) -> dict[str, Any]:
    async with httpx.AsyncClient() as http:
        document: dict[str, Any] = (await http.get(f"{subject.issuer}/.well-known/openid-configuration")).json()
    return document


def _client(metadata: dict[str, Any], of: dict[str, Any]) -> AsyncOAuth2Client:
    method = "client_secret_basic" if of["client_secret"] else "none"
    return AsyncOAuth2Client(
        of["client_id"],
        of["client_secret"],
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        redirect_uri=of["redirect_uri"],
        scope="jobs:read",
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
    )


async def _who(client: AsyncOAuth2Client, subject: Subject) -> httpx.Response:
    answer: httpx.Response = await client.get(f"{subject.issuer}/api/me")
    return answer


async def test_client_credentials(subject: Subject, metadata: dict[str, Any]) -> None:
    async with _client(metadata, subject.web) as client:
        token = await client.fetch_token(grant_type="client_credentials")
        assert token["scope"] == "jobs:read"
        assert (await _who(client, subject)).json()["user_id"] == subject.web["client_id"]


@pytest.mark.parametrize("kind", ["web", "app"])
async def test_authorization_code_refresh_and_revocation(subject: Subject, metadata: dict[str, Any], kind: str) -> None:
    of = getattr(subject, kind)
    verifier = "a" * 64
    async with _client(metadata, of) as client, httpx.AsyncClient(base_url=subject.issuer) as http:
        url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
        browser = Browser(http)
        consent = await browser.log_in(await browser.get(url), **subject.user)
        answer = await browser.send(consent, "allow")
        answer_of(answer, of["redirect_uri"])
        first = await client.fetch_token(
            authorization_response=answer.headers["location"], state=state, code_verifier=verifier
        )
        assert (await _who(client, subject)).json()["username"] == "testuser"
        refreshed = await client.refresh_token(metadata["token_endpoint"])
        assert refreshed["refresh_token"] != first["refresh_token"]
        revoked = await client.revoke_token(metadata["revocation_endpoint"], token=refreshed["refresh_token"])
        assert revoked.status_code == 200
        with pytest.raises(OAuthError, match="invalid_grant"):
            await client.refresh_token(metadata["token_endpoint"])


async def test_token_exchange(subject: Subject, metadata: dict[str, Any]) -> None:
    async with _client(metadata, subject.web) as client:
        token = await client.fetch_token(grant_type="client_credentials")
        exchanged = await client.fetch_token(
            grant_type=EXCHANGE, subject_token=token["access_token"], subject_token_type=ACCESS_TOKEN
        )
        assert exchanged["issued_token_type"] == ACCESS_TOKEN


async def test_introspection(subject: Subject, metadata: dict[str, Any]) -> None:
    async with _client(metadata, subject.web) as client:
        token = await client.fetch_token(grant_type="client_credentials")
        answer = await client.introspect_token(metadata["introspection_endpoint"], token=token["access_token"])
        assert (answer.json()["active"], answer.json()["client_id"]) == (True, subject.web["client_id"])
