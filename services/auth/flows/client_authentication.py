"""A step that the OAuth flows share: who the client is."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.built_in_clients import BUILT_IN, FIRST_PARTY
from services.auth.domain.clients import Client, UnverifiedClient
from services.auth.domain.oauth_errors import InvalidClient
from services.auth.domain.problems import TooManyClientAttempts
from services.auth.flows.issuing import AccessTokens
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.client_attempts import ClientAttempts
from services.auth.stores.recent_clients import RecentClients
from shared.tokens.revocation import Target


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """Confidential clients prove who they are by their secret, public ones only say it (RFC 6749 §2.1)."""

    clients: RecentClients
    attempts: ClientAttempts
    access_tokens: AccessTokens
    audit: AuditTrail

    async def of_token_holder(self, unverified_client: UnverifiedClient | None, now: float) -> Client:
        """The client of whoever presents a token that a client was given; who names none is the first party.

        Raises:
            InvalidClient: it names a client and does not prove to be it.
        """
        if unverified_client is None:
            return FIRST_PARTY
        client, _ = await self.of(unverified_client, now)
        return client

    async def for_grant(
        self, unverified_client: UnverifiedClient | None, grant_type: str, now: float
    ) -> tuple[Client, int]:
        """The client, if it may use this grant, and the `iat` for what is issued on the strength of its row.

        Raises:
            InvalidClient, UnauthorizedClient: as RFC 6749 §5.2 has it.
        """
        if unverified_client is None:
            raise InvalidClient("Send client_id and client_secret, best by HTTP Basic.", by_header=False)
        client, issued_at = await self.of(unverified_client, now)
        client.must_be_for(grant_type)
        return client, issued_at

    async def of(self, unverified_client: UnverifiedClient, now: float) -> tuple[Client, int]:
        """The client, and the `iat` for what is issued on the strength of its row.

        Raises:
            InvalidClient. TooManyClientAttempts: so many from the same address were no clients.
        """
        client_id = unverified_client.client_id
        wait = self.attempts.wait(client_id, now)
        if wait > 0 and not self.attempts.has_proved(client_id):
            raise TooManyClientAttempts(retry_after_seconds=wait)
        targets = Target("client", client_id), Target("user", client_id)
        revoked_up_to = self.access_tokens.revoked_up_to(*targets)
        issued_at = await self.access_tokens.second_after(revoked_up_to, now)
        if client_id in BUILT_IN:
            return self._verified(unverified_client, BUILT_IN[client_id], now), issued_at
        known = await self.clients.get(client_id, issued_at=issued_at, revoked_up_to=revoked_up_to, now=now)
        return self._verified(unverified_client, known.client, now), known.issued_at

    def _verified(self, unverified_client: UnverifiedClient, client: Client | None, now: float) -> Client:
        """Of a client that does not exist nothing that was sent is kept: it may be anything."""
        try:
            verified = unverified_client.verified(client, now)
        except InvalidClient:
            wait = self.attempts.wait(unverified_client.client_id, now)
            if wait > 0:
                raise TooManyClientAttempts(retry_after_seconds=wait) from None
            self.attempts.count_failure(unverified_client.client_id, now)
            who, reason = (client.client_id, "wrong_secret") if client else (None, "unknown_client")
            self.audit.record(AuditEvent("client-authentication", "refused", None, who, who, reason), now)
            raise
        if not verified.is_public:
            self.attempts.remember(verified.client_id)
        return verified
