"""Clients that no table has to know."""

from services.auth.domain.clients import Client
from services.auth.domain.grant_types import REFRESH_TOKEN
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
