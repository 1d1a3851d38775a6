"""RFC 7009: a client gives back a token, a refresh token or an access token."""

from dataclasses import dataclass

from services.auth.domain.api_keys import PresentedKey
from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.built_in_clients import BUILT_IN
from services.auth.domain.clients import UnverifiedClient
from services.auth.domain.oauth_errors import InvalidGrant, InvalidOAuthRequest
from services.auth.domain.refresh import RefreshToken, judge
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.ending import Announced, Ending
from services.auth.flows.ending_api_keys import EndingApiKeys
from services.auth.stores.sessions import Sessions
from shared.clock import Clock
from shared.tokens.claims import Claims, InvalidToken
from shared.tokens.verifier import Verifier


class NothingRevoked:
    """For the verifier of this flow: revoking a token once more must be possible, and must not depend on the feed."""

    async def is_revoked(self, claims: Claims) -> bool:  # noqa: ARG002 - whatever it says
        return False


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """A refresh token takes its session with it, and so its access tokens (§2.1). What is no token is no error (§2.2).

    Who names no client may give back what the built-in clients were given: these are public.

    The answer is None where there was nothing to revoke.

    Raises:
        InvalidClient: the client is not who it says. InvalidGrant: the token was issued to another client.
        Unavailable: nothing was changed. NotAnnounced: revoked, but not every verifier knows yet.
    """

    authentication: ClientAuthentication
    sessions: Sessions
    ending: Ending
    ending_api_keys: EndingApiKeys
    verifier: Verifier
    now: Clock

    async def __call__(self, unverified_client: UnverifiedClient | None, raw_token: str) -> Announced | None:
        now = self.now()
        client = await self.authentication.of_token_holder(unverified_client, now)
        client_id = client.client_id
        owners = frozenset(BUILT_IN) if unverified_client is None else frozenset({client_id})
        try:
            presented = RefreshToken.parse(raw_token)
        except InvalidGrant:
            pass
        else:
            return await self._end_session(presented, owners, now)
        try:
            key = PresentedKey.parse(raw_token)
        except InvalidOAuthRequest:
            return await self._revoke_access_token(raw_token, owners, now)
        return await self._end_api_key(key, client_id, now)

    async def _end_session(self, presented: RefreshToken, owners: frozenset[str], now: float) -> Announced | None:
        session = await self.sessions.get(presented.session_id)
        if session is None or judge(presented, session.refresh, 0, now) == "forged":
            return None
        self._refuse_another(owners, session.client_id, session.user_id, now)
        why = _given_back(session.client_id, session.user_id, {"session_id": session.session_id})
        return await self.ending.end(session, why, now)

    async def _revoke_access_token(self, raw_token: str, owners: frozenset[str], now: float) -> Announced | None:
        try:
            caller = await self.verifier.verify(raw_token)
        except InvalidToken:
            return None
        self._refuse_another(owners, caller.client_id, caller.user_id, now)
        why = _given_back(caller.client_id, caller.user_id, {"kind": "jti", "value": caller.claims.jti})
        return await self.ending.revoke(self.ending.guard.of_token(caller.claims, now), why, now)

    async def _end_api_key(self, presented: PresentedKey, client_id: str, now: float) -> Announced | None:
        """A key was issued to no client: who holds it may end it, best of all who has found it somewhere."""
        key = await self.ending_api_keys.api_keys.get(presented.key_id)
        if key is None or not key.is_shown_by(presented):
            return None
        why = _given_back(client_id, key.user_id, {"key_id": key.key_id})
        return await self.ending_api_keys.end(key, why, now)

    def _refuse_another(self, owners: frozenset[str], owner: str, subject: str, now: float) -> None:
        if owner not in owners:
            event = AuditEvent("token-revocation", "refused", None, subject, owner, "another_clients_token")
            self.ending.audit.record(event, now)
            raise InvalidGrant("The token was issued to another client.")


def _given_back(client_id: str, subject: str, details: Details) -> AuditEvent:
    return AuditEvent(
        "token-revocation", "succeeded", actor=client_id, subject=subject, client_id=client_id, details=details
    )
