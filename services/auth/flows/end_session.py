"""Ends one session of the caller's."""

from dataclasses import dataclass

from services.auth.domain.problems import SessionNotFound
from services.auth.flows.ending import Ending
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

    async def __call__(self, caller: Caller, session_id: str) -> None:
        session = await self.sessions.get(session_id)
        if session is None or session.user_id != caller.user_id:
            raise SessionNotFound
        await self.ending.end(session, self.now())
