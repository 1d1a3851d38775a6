"""Clients for tests, each with what it needs and nothing else."""

from dataclasses import replace

from services.auth.domain.clients import Client, ClientSecret
from services.auth.domain.grant_types import CLIENT_CREDENTIALS, TOKEN_EXCHANGE
from shared.ids import digest


def registered(client_id: str = "reports", secret: str = "secret") -> Client:
    """A confidential client for client_credentials."""
    return Client(
        client_id=client_id,
        name="Reports",
        secrets=(ClientSecret("sec_1", digest(secret), created_at=0),),
        auth_method="client_secret_basic",
        grant_types=frozenset({CLIENT_CREDENTIALS}),
        redirect_uris=(),
        scope=frozenset({"jobs:read"}),
        created_at=0,
    )


def exchanging(client_id: str = "gateway", secret: str = "secret", *audiences: str) -> Client:
    """A confidential client that exchanges tokens."""
    client = registered(client_id, secret)
    grants, scope = frozenset({CLIENT_CREDENTIALS, TOKEN_EXCHANGE}), frozenset({"jobs:read", "jobs:write"})
    return replace(client, grant_types=grants, scope=scope, audiences=audiences)
