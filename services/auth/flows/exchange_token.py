"""Token exchange: a token that a service was shown, for a narrower one to call another with (RFC 8693)."""

from dataclasses import dataclass

from services.auth.domain.access_tokens import Grant
from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.clients import Client, UnverifiedClient
from services.auth.domain.grant_types import TOKEN_EXCHANGE
from services.auth.domain.oauth_errors import InvalidOAuthRequest, OAuthError, UnauthorizedClient
from services.auth.domain.problems import JustRevoked
from services.auth.domain.token_exchange import Exchange, exchanged_audience, exchanged_scope
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.issuing import AccessTokens, IssuedToken
from services.auth.stores.audit_trail import AuditTrail
from shared.clock import Clock
from shared.tokens.claims import Claims, InvalidToken
from shared.tokens.revocation import Target
from shared.tokens.verifier import Verifier

_NOT_GOOD = "{}: no access token that is good."


@dataclass(frozen=True, slots=True)
class ExchangeToken:
    """Never more than the subject token: its subject and session, at most its scope and its time.

    The new token names those that it was made from, so what revokes one of them revokes it, whenever that is known.

    Raises:
        InvalidOAuthRequest: a token in the request is not good, or not for this client (RFC 8693 §2.2.2).
        InvalidClient, UnauthorizedClient, InvalidScope, InvalidTarget: as the RFCs have it.
        Unavailable: whether the token was revoked, or who the client is, can't be known now.
    """

    authentication: ClientAuthentication
    verifier: Verifier
    access_tokens: AccessTokens
    audit: AuditTrail
    now: Clock

    async def __call__(self, unverified_client: UnverifiedClient | None, exchange: Exchange) -> IssuedToken:
        now = self.now()
        client, issued_at = await self.authentication.for_grant(unverified_client, TOKEN_EXCHANGE, now)
        try:
            return await self._exchanged(client, exchange, issued_at, now)
        except OAuthError as refusal:
            who = client.client_id
            self.audit.record(AuditEvent("token-exchange", "refused", who, None, who, refusal.error), now)
            raise

    async def _exchanged(self, client: Client, exchange: Exchange, issued_at: int, now: float) -> IssuedToken:
        if client.is_public:
            raise UnauthorizedClient("A client that can't prove who it is exchanges no tokens of users.")
        subject = await self._verified("subject_token", exchange.unverified_subject)
        await self._check_actor(exchange.unverified_actor, client)
        audience = exchanged_audience(subject, client, exchange.audience, self.access_tokens.audience)
        scope = exchanged_scope(subject.scope, client, exchange.raw_scope)
        if issued_at <= self.access_tokens.revoked_up_to(Target("user", subject.sub)):
            raise JustRevoked  # the client's row was read before; soon it is read again
        if subject.exp <= issued_at:
            raise InvalidOAuthRequest(_NOT_GOOD.format("subject_token"))
        grant = Grant.of_exchange(subject, client.client_id, scope, audience)
        issued = self.access_tokens.issue(grant, issued_at=issued_at, now=now, at_latest=subject.exp)
        details: Details = {"scope": sorted(scope), "audience": audience, "jti": subject.jti}
        event = AuditEvent(
            "token-exchange", "succeeded", client.client_id, subject.sub, client.client_id, details=details
        )
        self.audit.record(event, now)
        return issued

    async def _verified(self, name: str, raw_token: str) -> Claims:
        try:
            caller = await self.verifier.verify(raw_token)
        except InvalidToken:
            raise InvalidOAuthRequest(_NOT_GOOD.format(name)) from None
        return caller.claims

    async def _check_actor(self, raw_token: str | None, client: Client) -> None:
        """Who acts is the client; a token that says so as well must be its own."""
        if raw_token is None:
            return
        actor = await self._verified("actor_token", raw_token)
        if (actor.sub, actor.client_id) != (client.client_id, client.client_id):
            raise InvalidOAuthRequest("actor_token: it must be this client's own, of the grant client_credentials.")
