"""An administrator revokes by name: a token, a session, a user's, a client's or a key's tokens, or all."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.flows.ending import Announced, Ending
from services.auth.stores.sessions import Sessions
from shared.clock import Clock
from shared.tokens.claims import Caller
from shared.tokens.revocation import Target


@dataclass(frozen=True, slots=True)
class RevokeTarget:
    """What is named need not exist: a token that was issued a moment ago is known to nobody but its holder.

    Raises:
        ValidationFailed: `not_before` is no second up to which this can be revoked.
        Unavailable: nothing was changed. NotAnnounced: revoked, but not every verifier knows yet.
    """

    sessions: Sessions
    ending: Ending
    now: Clock

    async def __call__(self, caller: Caller, target: Target, not_before: int | None = None) -> Announced:
        now = self.now()
        why = AuditEvent.by(caller, "revocation", subject=target.value, details={"kind": target.kind})
        revocation = self.ending.guard.of_target(target, now, not_before)
        session = await self.sessions.get(target.value) if target.kind == "sid" else None
        if session is not None:
            return await self.ending.end(session, why, now)
        return await self.ending.revoke(revocation, why, now)
