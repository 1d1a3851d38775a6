"""`authorization_code`: a code becomes a session of the client (RFC 6749 §4.1.3)."""

import contextlib
from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent, Details, EventName, Outcome
from services.auth.domain.authorization_codes import AuthorizationCode, Redemption, check_redemption
from services.auth.domain.clients import UnverifiedClient
from services.auth.domain.grant_types import AUTHORIZATION_CODE
from services.auth.domain.oauth_errors import InvalidGrant
from services.auth.domain.problems import NotAnnounced
from services.auth.domain.sessions import Origin, Session
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.ending import Ending
from services.auth.flows.session_start import SessionStart, StartedSession
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.authorization_codes import AuthorizationCodes
from services.auth.stores.sessions import Sessions
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class RedeemCode:
    """Of many uses at once one begins a session. Each further one is refused and ends that session (§4.1.2).

    Raises:
        InvalidClient, UnauthorizedClient, InvalidGrant, InvalidOAuthRequest: as RFC 6749 §5.2 has it.
        Unavailable: DynamoDB does not answer.
    """

    authentication: ClientAuthentication
    codes: AuthorizationCodes
    start: SessionStart
    sessions: Sessions
    ending: Ending
    audit: AuditTrail
    now: Clock

    async def __call__(
        self, unverified_client: UnverifiedClient | None, redemption: Redemption, origin: Origin
    ) -> StartedSession:
        now = self.now()
        client, _ = await self.authentication.for_grant(unverified_client, AUTHORIZATION_CODE, now)
        code_hash = redemption.code_hash
        known = await self.codes.get(code_hash)
        try:
            code = check_redemption(redemption, known, client.client_id)
        except InvalidGrant:
            self._record_refusal("not_its_code", client.client_id, known, now)
            raise
        if code.session_id is not None:
            raise await self._second_use(code.session_id, now)
        if now > code.good_until:
            self._record_refusal("expired", client.client_id, code, now)
            raise InvalidGrant("This authorization code has expired. Ask for another.")
        started = await self.start.prepare(code.consent, client, origin, now)
        if not await self.codes.redeem(code, started.session):
            winner = await self.codes.get(code_hash)
            raise await self._second_use(winner.session_id if winner else None, now)
        self.audit.record(_event("authorization-code", started.session), now)
        return started

    def _record_refusal(self, reason: str, client_id: str, code: AuthorizationCode | None, now: float) -> None:
        subject = code.consent.user_id if code else None
        self.audit.record(AuditEvent("authorization-code", "refused", None, subject, client_id, reason), now)

    async def _second_use(self, session_id: str | None, now: float) -> InvalidGrant:
        """Who has code and verifier is the client or has robbed it, and nobody can tell which of the two was first."""
        session = await self.sessions.get(session_id) if session_id else None
        if session is not None:
            why = _event("authorization-code-reuse", session)
            with contextlib.suppress(NotAnnounced):  # the announcer goes on; the client is refused in any case
                await self.ending.end(session, why, now)
        return InvalidGrant("This authorization code was used before, so what it gave was revoked. Ask for another.")


def _event(name: EventName, session: Session) -> AuditEvent:
    outcome: Outcome = "refused" if name == "authorization-code-reuse" else "succeeded"
    details: Details = {"session_id": session.session_id, "scope": sorted(session.scope)}
    return AuditEvent(name, outcome, session.client_id, session.user_id, session.client_id, details=details)
