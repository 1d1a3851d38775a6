"""A step that the OAuth flows share: who the client is."""

from dataclasses import dataclass

from services.auth.domain.clients import Client, UnverifiedClient
from services.auth.domain.sessions import FIRST_PARTY_CLIENT
from services.auth.flows.issuing import AccessTokens
from services.auth.stores.recent_clients import RecentClients
from shared.tokens.revocation import Target


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """Confidential clients prove who they are by their secret; the first-party client is public (RFC 6749 §2.1)."""

    clients: RecentClients
    access_tokens: AccessTokens

    async def of_token_holder(self, unverified_client: UnverifiedClient | None, now: float) -> str:
        """The `client_id` of whoever presents a token that a client was given.

        Raises:
            InvalidClient: it names a client and does not prove to be it.
        """
        if unverified_client is None:
            return FIRST_PARTY_CLIENT
        if unverified_client.client_id == FIRST_PARTY_CLIENT and not unverified_client.secret:
            return FIRST_PARTY_CLIENT
        client, _ = await self.of_confidential(unverified_client, now)
        return client.client_id

    async def of_confidential(self, unverified_client: UnverifiedClient, now: float) -> tuple[Client, int]:
        """The client, and the `iat` for what is issued on the strength of its row. Raises InvalidClient."""
        client_id = unverified_client.client_id
        targets = Target("client", client_id), Target("user", client_id)
        revoked_up_to = self.access_tokens.revoked_up_to(*targets)
        issued_at = self.access_tokens.second_after(revoked_up_to, now)
        known = await self.clients.get(client_id, issued_at=issued_at, revoked_up_to=revoked_up_to, now=now)
        return unverified_client.verified(known.client), known.issued_at
