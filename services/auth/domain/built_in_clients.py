"""Clients that no table has to know."""

from collections.abc import Mapping

from services.auth.domain.clients import Client
from services.auth.domain.grant_types import REFRESH_TOKEN, TOKEN_EXCHANGE
from services.auth.domain.sessions import FIRST_PARTY_CLIENT
from services.auth.domain.users import SCOPES

FIRST_PARTY = Client(
    client_id=FIRST_PARTY_CLIENT,
    name="Login with username and password",
    secrets=(),
    auth_method="none",
    grant_types=frozenset({REFRESH_TOKEN}),
    redirect_uris=(),
    scope=frozenset(SCOPES),
    created_at=0,
)
"""Whose tokens `/api/login` gives: public, and of use for nothing but refreshing them."""

API_KEYS = Client(
    client_id="mayfly-api-keys",
    name="Programs that show an API key",
    secrets=(),
    auth_method="none",
    grant_types=frozenset({TOKEN_EXCHANGE}),
    redirect_uris=(),
    scope=frozenset(SCOPES),
    created_at=0,
)
"""Whose tokens an API key gives that comes without a client: public, and of use for nothing else."""

BUILT_IN: Mapping[str, Client] = {client.client_id: client for client in (FIRST_PARTY, API_KEYS)}
