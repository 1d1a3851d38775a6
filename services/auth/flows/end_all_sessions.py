"""Ends every session of the caller's, the one that asks too."""

import asyncio
from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.sessions import Session
from services.auth.flows.at_once import at_once
from services.auth.flows.ending import Announced, Ending
from services.auth.stores.sessions import Sessions
from shared.clock import Clock
from shared.tokens.claims import Caller
from shared.tokens.revocation import Target

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class EndAllSessions:
    """One revocation of the user ends them all, whatever the list of sessions shows yet; and each leaves the list.

    Raises:
        Unavailable: not all is done; ask again. NotAnnounced: they have ended, but not every verifier knows yet.
    """

    sessions: Sessions
    ending: Ending
    now: Clock

    async def __call__(self, caller: Caller) -> Announced:
        now = self.now()
        revocation = self.ending.guard.of_target(Target("user", caller.user_id), now)
        why = AuditEvent.by(caller, "sessions-end")
        announced, _ = await at_once(self.ending.revoke(revocation, why, now), self._end_rows(caller.user_id, now))
        return announced

    async def _end_rows(self, user_id: str, now: float) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def end(session: Session) -> None:
            async with gate:
                await self.sessions.end_revoked(session, now)

        await at_once(*map(end, await self.sessions.of_user(user_id, now)))
