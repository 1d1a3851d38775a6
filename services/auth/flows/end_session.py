"""Ends one session of the caller's."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.problems import SessionNotFound
from services.auth.domain.sessions import may_be_session_id
from services.auth.flows.ending import Announced, Ending
from services.auth.stores.sessions import Sessions
from shared.clock import Clock
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class EndSession:
    """Doing it again is right when the first time was answered 503.

    Raises:
        SessionNotFound: there is none of this id, or it is another user's.
        Unavailable: nothing was changed. NotAnnounced: it has ended, but not every verifier knows yet.
    """

    sessions: Sessions
    ending: Ending
    now: Clock

    async def __call__(self, caller: Caller, unverified_session_id: str) -> Announced:
        known = may_be_session_id(unverified_session_id)
        session = await self.sessions.get(unverified_session_id) if known else None
        if session is None or session.user_id != caller.user_id:
            raise SessionNotFound
        why = AuditEvent.by(caller, "session-end", details={"session_id": session.session_id})
        return await self.ending.end(session, why, self.now())
