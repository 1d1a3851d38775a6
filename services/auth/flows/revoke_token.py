"""RFC 7009: a client gives back a token, a refresh token or an access token."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.clients import UnverifiedClient
from services.auth.domain.oauth_errors import InvalidGrant
from services.auth.domain.refresh import RefreshToken, judge
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.ending import Announced, Ending
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

    The answer is None where there was nothing to revoke.

    Raises:
        InvalidClient: the client is not who it says. InvalidGrant: the token was issued to another client.
        Unavailable: nothing was changed. NotAnnounced: revoked, but not every verifier knows yet.
    """

    authentication: ClientAuthentication
    sessions: Sessions
    ending: Ending
    verifier: Verifier
    now: Clock

    async def __call__(self, unverified_client: UnverifiedClient | None, raw_token: str) -> Announced | None:
        now = self.now()
        client = await self.authentication.of_token_holder(unverified_client, now)
        client_id = client.client_id
        try:
            presented = RefreshToken.parse(raw_token)
        except InvalidGrant:
            return await self._revoke_access_token(raw_token, client_id, now)
        return await self._end_session(presented, client_id, now)

    async def _end_session(self, presented: RefreshToken, client_id: str, now: float) -> Announced | None:
        session = await self.sessions.get(presented.session_id)
        if session is None or judge(presented, session.refresh, 0, now) == "forged":
            return None
        _refuse_another(client_id, session.client_id)
        why = _given_back(client_id, session.user_id, {"session_id": session.session_id})
        return await self.ending.end(session, why, now)

    async def _revoke_access_token(self, raw_token: str, client_id: str, now: float) -> Announced | None:
        try:
            caller = await self.verifier.verify(raw_token)
        except InvalidToken:
            return None
        _refuse_another(client_id, caller.client_id)
        why = _given_back(client_id, caller.user_id, {"kind": "jti", "value": caller.claims.jti})
        return await self.ending.revoke(self.ending.guard.of_token(caller.claims, now), why, now)


def _given_back(client_id: str, subject: str, details: Details) -> AuditEvent:
    return AuditEvent(
        "token-revocation", "succeeded", actor=client_id, subject=subject, client_id=client_id, details=details
    )


def _refuse_another(client_id: str, owner: str) -> None:
    if client_id != owner:
        raise InvalidGrant("The token was issued to another client.")
