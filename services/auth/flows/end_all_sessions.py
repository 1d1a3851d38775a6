"""Ends every session of the caller's, the one that asks too."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.flows.ending import Announced, Ending
from shared.clock import Clock
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class EndAllSessions:
    """Raises Unavailable: not all is done; ask again. NotAnnounced: ended, but not every verifier knows yet."""

    ending: Ending
    now: Clock

    async def __call__(self, caller: Caller) -> Announced:
        return await self.ending.end_user(caller.user_id, AuditEvent.by(caller, "sessions-end"), self.now())
