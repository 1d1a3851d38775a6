"""Clients that users let in, for tests."""

from services.auth.domain.clients import Client, ClientSecret
from services.auth.domain.grant_types import AUTHORIZATION_CODE, DEVICE_CODE, REFRESH_TOKEN
from services.auth.stores.clients import Clients
from shared.ids import digest
from tests.service.auth.running import Auth

HOME = "https://app.example/back?from=auth"
SECRET = ("web", "web-secret")


def login_client(client_id: str, **changes: object) -> Client:
    """A public one with all grants to which a user consents; `web` is confidential."""
    values = {
        "client_id": client_id,
        "name": f"The {client_id} app",
        "secrets": (ClientSecret("sec_1", digest(SECRET[1]), created_at=0),) if client_id == "web" else (),
        "auth_method": "client_secret_basic" if client_id == "web" else "none",
        "grant_types": frozenset({AUTHORIZATION_CODE, REFRESH_TOKEN, DEVICE_CODE}),
        "redirect_uris": (HOME, "http://127.0.0.1/callback"),
        "scope": frozenset({"jobs:read", "jobs:write", "admin"}),
        "created_at": 0,
    }
    return Client(**{**values, **changes})  # type: ignore[arg-type]  # a type per field


async def register(auth: Auth, *clients: Client) -> None:
    store = Clients(auth.resources.backends.dynamodb, auth.resources.settings.table_prefix)
    for client in clients:
        await store.save(client)
