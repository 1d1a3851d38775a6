"""RFC 7662: a client asks whether a token is good, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.auth.domain.api_keys import PresentedKey
from services.auth.domain.audit import AuditEvent
from services.auth.domain.clients import Client, UnverifiedClient
from services.auth.domain.introspection import (
    INACTIVE,
    may_see_access_token,
    may_see_session,
    of_access_token,
    of_api_key,
    of_refresh_token,
)
from services.auth.domain.oauth_errors import InvalidClient, InvalidGrant, InvalidOAuthRequest
from services.auth.domain.problems import TooManyIntrospections
from services.auth.domain.refresh import RefreshToken, judge
from services.auth.domain.revocations import ends_session, targets_of_session
from services.auth.domain.users import scope_of
from services.auth.flows.at_once import at_once
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.stores.api_keys import ApiKeys
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.request_budgets import RequestBudgets
from services.auth.stores.sessions import Sessions
from services.auth.stores.users import Users
from shared.clock import Clock
from shared.tokens.claims import InvalidToken
from shared.tokens.revocation import Target
from shared.tokens.revocation_status import DirectReader
from shared.tokens.verifier import Verifier

_STILL_GOOD = frozenset({"current", "repeated"})


@dataclass(frozen=True, slots=True)
class IntrospectToken:
    """One answer for what is unknown, expired, revoked, or not this client's to know. Looking at a token uses nothing.

    Raises:
        InvalidClient: it does not prove who it is, or could not, being public.
        TooManyIntrospections: more than its share of this instance.
        Unavailable: whether the token is good can't be known now.
    """

    authentication: ClientAuthentication
    budgets: RequestBudgets
    verifier: Verifier
    sessions: Sessions
    api_keys: ApiKeys
    users: Users
    revocations: DirectReader
    audit: AuditTrail
    now: Clock

    async def __call__(self, unverified_client: UnverifiedClient | None, raw_token: str) -> Mapping[str, object]:
        """The members of the answer."""
        now = self.now()
        client = await self._client(unverified_client, now)
        try:
            presented = RefreshToken.parse(raw_token)
        except InvalidGrant:
            pass
        else:
            return await self._refresh_token(client, presented, now)
        try:
            key = PresentedKey.parse(raw_token)
        except InvalidOAuthRequest:
            return await self._access_token(client, raw_token, now)
        return await self._api_key(client, key, now)

    async def _client(self, unverified_client: UnverifiedClient | None, now: float) -> Client:
        if unverified_client is None:
            raise InvalidClient("Send client_id and client_secret, best by HTTP Basic.", by_header=False)
        client, _ = await self.authentication.of(unverified_client, now)
        if client.is_public:
            self._refuse(client, client.client_id, "public_client", now)
            raise InvalidClient("A public client can't introspect.", by_header=unverified_client.by_header)
        wait = self.budgets.take(client.client_id, now)
        if wait > 0:
            raise TooManyIntrospections("Verify access tokens by their signature instead.", retry_after_seconds=wait)
        return client

    async def _access_token(self, client: Client, raw_token: str, now: float) -> Mapping[str, object]:
        try:
            claims = (await self.verifier.verify(raw_token)).claims
        except InvalidToken:
            return INACTIVE
        if not may_see_access_token(client, claims):
            return self._refuse(client, claims.sub, "another_clients_token", now)
        return of_access_token(claims, claims.iss)

    async def _refresh_token(self, client: Client, presented: RefreshToken, now: float) -> Mapping[str, object]:
        session = await self.sessions.get(presented.session_id)
        grace_seconds = self.authentication.access_tokens.lifetimes.grace_seconds
        if session is None or not session.is_alive(now):
            return INACTIVE
        if judge(presented, session.refresh, grace_seconds, now) not in _STILL_GOOD:
            return INACTIVE
        if not may_see_session(client, session):
            return self._refuse(client, session.user_id, "another_clients_token", now)
        user, revocations = await at_once(
            self.users.get(session.username), self.revocations.read(targets_of_session(session))
        )
        if user is None or not session.may_go_on(user) or ends_session(revocations, session):
            return INACTIVE
        scope = session.scope & scope_of(user.roles, user.permissions)
        return of_refresh_token(session, scope, self.authentication.access_tokens.issuer)

    async def _api_key(self, client: Client, presented: PresentedKey, now: float) -> Mapping[str, object]:
        key = await self.api_keys.get(presented.key_id)
        if key is None or not key.is_shown_by(presented) or not key.is_alive(now):
            return INACTIVE
        if not client.may_introspect:
            return self._refuse(client, key.user_id, "another_clients_token", now)
        user, revoked = await at_once(self.users.get(key.username), self.revocations.read([Target("sid", key.key_id)]))
        if user is None or user.user_id != key.user_id or user.disabled or list(revoked):
            return INACTIVE
        scope = key.scope & scope_of(user.roles, user.permissions)
        return of_api_key(key, scope, self.authentication.access_tokens.issuer)

    def _refuse(self, client: Client, subject: str, reason: str, now: float) -> Mapping[str, object]:
        who = client.client_id
        self.audit.record(AuditEvent("token-introspection", "refused", who, subject, who, reason), now)
        return INACTIVE
