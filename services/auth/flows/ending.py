"""Steps that several flows share: making a revocation durable, then telling the audit trail and every verifier."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.revocations import Guard
from services.auth.domain.sessions import Session
from services.auth.flows.at_once import at_once
from services.auth.stores.announcer import Announcer
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.revocations import Revocations
from services.auth.stores.sessions import Sessions
from shared.tokens.revocation import Revocation, Target

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Announced:
    """What is in force, and the id in the stream: a verifier that has read up to it knows."""

    revocation: Revocation
    receipt: str


@dataclass(frozen=True, slots=True)
class Ending:
    """Both steps raise Unavailable (nothing was changed) or NotAnnounced (durable, but not every verifier knows).

    `why` is recorded as soon as it is durable.
    """

    sessions: Sessions
    revocations: Revocations
    announcer: Announcer
    guard: Guard
    audit: AuditTrail

    async def end(self, session: Session, why: AuditEvent, now: float) -> Announced:
        """End the session. One that has ended already is announced again."""
        revocation = self.guard.of_session(session, now)
        if session.ended_at_ms is None:
            await self.sessions.end(session, revocation, now)
            self.audit.record(why, now)
        return Announced(revocation, await self.announcer.announce(revocation))

    async def revoke(self, revocation: Revocation, why: AuditEvent, now: float) -> Announced:
        """Revoke what has no row of its own. What was revoked stays so."""
        in_force = await self.revocations.save(revocation, now)
        self.audit.record(why, now)
        return Announced(in_force, await self.announcer.announce(in_force))

    async def end_user(self, user_id: str, why: AuditEvent, now: float) -> Announced:
        """End all that the user has: one revocation, whatever the list of sessions shows yet; each leaves the list."""
        revocation = self.guard.of_target(Target("user", user_id), now)
        announced, _ = await at_once(self.revoke(revocation, why, now), self._end_rows(user_id, now))
        return announced

    async def end_each(self, sessions: Iterable[Session], now: float) -> None:
        """End these one by one, where the reason is in the trail already. The first error, once all were tried."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def end(session: Session) -> None:
            async with gate:
                revocation = self.guard.of_session(session, now)
                await self.sessions.end(session, revocation, now)
                await self.announcer.announce(revocation)

        await at_once(*map(end, sessions))

    async def _end_rows(self, user_id: str, now: float) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def end(session: Session) -> None:
            async with gate:
                await self.sessions.end_revoked(session, now)

        await at_once(*map(end, await self.sessions.of_user(user_id, now)))
