"""Ends the session of the token that the caller came with."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.flows.ending import Announced, Ending
from services.auth.stores.sessions import Sessions
from shared.clock import Clock
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class Logout:
    """A token that has no session is itself revoked.

    Raises:
        Unavailable: nothing was changed. NotAnnounced: it has ended, but not every verifier knows yet.
    """

    sessions: Sessions
    ending: Ending
    now: Clock

    async def __call__(self, caller: Caller) -> Announced:
        now = self.now()
        session = await self.sessions.get(caller.session_id) if caller.session_id else None
        if session is None:
            why = AuditEvent.by(caller, "logout", details={"kind": "jti", "value": caller.claims.jti})
            return await self.ending.revoke(self.ending.guard.of_token(caller.claims, now), why, now)
        why = AuditEvent.by(caller, "logout", details={"session_id": session.session_id})
        return await self.ending.end(session, why, now)
