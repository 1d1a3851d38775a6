"""Token exchange: an API key for an access token (RFC 8693, with a token type of our own)."""

from dataclasses import dataclass

from services.auth.domain.access_tokens import Grant
from services.auth.domain.api_keys import ApiKey, PresentedKey
from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.built_in_clients import API_KEYS
from services.auth.domain.clients import Client, UnverifiedClient
from services.auth.domain.grant_types import TOKEN_EXCHANGE
from services.auth.domain.oauth_errors import InvalidOAuthRequest, InvalidTarget
from services.auth.domain.problems import JustRevoked
from services.auth.domain.token_exchange import Exchange, exchanged_scope
from services.auth.domain.users import User, scope_of
from services.auth.flows.at_once import at_once
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.issuing import AccessTokens, IssuedToken
from services.auth.stores.api_keys import ApiKeys
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.users import Users
from shared.clock import Clock
from shared.tokens.revocation import Target
from shared.tokens.revocation_status import DirectReader

_NOT_GOOD = "subject_token: no API key that is good."


@dataclass(frozen=True, slots=True)
class ExchangeApiKey:
    """The token has what the key, the user (as it is now) and the client have in common, and dies with the key.

    No client need authenticate: the key proves enough. One that does gives its name and its limits to the token.

    Raises:
        InvalidOAuthRequest: the key is not good; one answer for all that may be wrong with it (RFC 8693 §2.2.2).
        InvalidClient, UnauthorizedClient, InvalidScope, InvalidTarget: as the RFCs have it.
        Unavailable: DynamoDB does not answer.
    """

    authentication: ClientAuthentication
    api_keys: ApiKeys
    users: Users
    revocations: DirectReader
    access_tokens: AccessTokens
    audit: AuditTrail
    now: Clock

    async def __call__(self, unverified_client: UnverifiedClient | None, exchange: Exchange) -> IssuedToken:
        now = self.now()
        client, client_second = await self._client(unverified_client, now)
        if exchange.audience not in {None, self.access_tokens.audience}:
            raise InvalidTarget(f"audience: {self.access_tokens.audience}, or leave it out.")
        key = await self._key(exchange.unverified_subject, now)
        targets = Target("user", key.user_id), Target("client", client.client_id)
        revoked_up_to = self.access_tokens.revoked_up_to(*targets)
        second = client_second or await self.access_tokens.second_after(revoked_up_to, now)
        user = await self._user(key, now)
        held = key.scope & scope_of(user.roles, user.permissions)
        scope = exchanged_scope(held, client, exchange.raw_scope)
        if second <= revoked_up_to:
            raise JustRevoked
        if key.expires_at <= second:
            raise self._refused("ended_key", key, now)
        grant = Grant.of_api_key(key, user, client.client_id, scope)
        issued = self.access_tokens.issue(grant, issued_at=second, now=now, at_latest=key.expires_at)
        details: Details = {"key_id": key.key_id, "scope": sorted(scope)}
        who = user.user_id
        self.audit.record(AuditEvent("api-key-use", "succeeded", who, who, client.client_id, details=details), now)
        return issued

    async def _client(self, unverified_client: UnverifiedClient | None, now: float) -> tuple[Client, int | None]:
        """The client, and the `iat` that its row asks for; a built-in one has no row."""
        if unverified_client is None:
            return API_KEYS, None
        return await self.authentication.for_grant(unverified_client, TOKEN_EXCHANGE, now)

    async def _key(self, raw_key: str, now: float) -> ApiKey:
        try:
            presented = PresentedKey.parse(raw_key)
        except InvalidOAuthRequest:
            raise self._refused("no_key", None, now) from None
        key = await self.api_keys.get(presented.key_id)
        if key is None or not key.is_shown_by(presented):
            raise self._refused("unknown_key", None, now)
        if not key.is_alive(now):
            raise self._refused("ended_key", key, now)
        return key

    async def _user(self, key: ApiKey, now: float) -> User:
        """Who made the key, as the user is now. That the key is used is written down meanwhile, if it is news."""
        by_name = self.revocations.read([Target("sid", key.key_id)])
        if key.use_is_news(now):
            user, revoked, _ = await at_once(self.users.get(key.username), by_name, self.api_keys.use(key, now))
        else:
            user, revoked = await at_once(self.users.get(key.username), by_name)
        if user is None or user.user_id != key.user_id or user.disabled:
            raise self._refused("disabled_user", key, now)
        if list(revoked):
            raise self._refused("revoked_key", key, now)
        return user

    def _refused(self, reason: str, key: ApiKey | None, now: float) -> InvalidOAuthRequest:
        subject = key.user_id if key else None
        details: Details = {"key_id": key.key_id} if key else {}
        self.audit.record(AuditEvent("api-key-use", "refused", None, subject, None, reason, details), now)
        return InvalidOAuthRequest(_NOT_GOOD)
