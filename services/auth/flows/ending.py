"""Steps that several flows share: making a revocation durable, then telling the audit trail and every verifier."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.revocations import Guard
from services.auth.domain.sessions import Session
from services.auth.stores.announcer import Announcer
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.revocations import Revocations
from services.auth.stores.sessions import Sessions
from shared.tokens.revocation import Revocation


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
        in_force = await self.revocations.save(revocation, now, self.guard.on_top_of)
        self.audit.record(why, now)
        return Announced(in_force, await self.announcer.announce(in_force))
