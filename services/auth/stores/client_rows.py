"""How a client is written down in DynamoDB."""

from typing import Any

from services.auth.domain.clients import Client, ClientSecret
from shared.clients.items import from_item, to_item


def row_of(client: Client) -> dict[str, Any]:
    return to_item(
        {
            "client_id": client.client_id,
            "name": client.name,
            "secrets": [_secret_row(secret) for secret in client.secrets],
            "auth_method": client.auth_method,
            "grant_types": sorted(client.grant_types),
            "redirect_uris": list(client.redirect_uris),
            "scope": sorted(client.scope),
            "created_at": client.created_at,
            "audiences": list(client.audiences),
            "may_introspect": client.may_introspect,
            "version": client.version,
        }
    )


def client_of(item: dict[str, Any]) -> Client:
    row = from_item(item)
    return Client(
        client_id=row["client_id"],
        name=row["name"],
        secrets=tuple(_secret_of(secret) for secret in row["secrets"]),
        auth_method=row["auth_method"],
        grant_types=frozenset(row["grant_types"]),
        redirect_uris=tuple(row["redirect_uris"]),
        scope=frozenset(row["scope"]),
        created_at=row["created_at"],
        audiences=tuple(row["audiences"]),
        may_introspect=row["may_introspect"],
        version=row["version"],
    )


def _secret_row(secret: ClientSecret) -> dict[str, Any]:
    return {
        "secret_id": secret.secret_id,
        "hash": secret.hash,
        "created_at": secret.created_at,
        "expires_at": secret.expires_at,
    }


def _secret_of(row: dict[str, Any]) -> ClientSecret:
    return ClientSecret(row["secret_id"], row["hash"], row["created_at"], row["expires_at"])
