"""An administrator deletes a user."""

from dataclasses import dataclass, replace

from services.auth.domain.audit import AuditEvent
from services.auth.domain.problems import UserChangedMeanwhile, UserNotFound
from services.auth.domain.users import may_be_user_id
from services.auth.flows.at_once import at_once
from services.auth.flows.ending import Announced, Ending
from services.auth.flows.ending_api_keys import EndingApiKeys
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.users import Users
from shared.clock import Clock
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class DeleteUser:
    """Disabled first, so that nobody logs in any more; then all that is out ends; then the row goes.

    Raises:
        UserNotFound, LastAdmin: nothing was changed. UserChangedMeanwhile: somebody else works on the same user.
        Unavailable, NotAnnounced: the user is disabled at most; delete it again.
    """

    users: Users
    ending: Ending
    ending_api_keys: EndingApiKeys
    audit: AuditTrail
    now: Clock

    async def __call__(self, caller: Caller, unverified_user_id: str) -> Announced:
        known = await self.users.by_id(unverified_user_id) if may_be_user_id(unverified_user_id) else None
        if known is None:
            raise UserNotFound
        disabled = await self.users.change(known, replace(known, disabled=True, changed_at_ms=int(self.now() * 1000)))
        if disabled is None:
            raise UserChangedMeanwhile
        why = AuditEvent.by(caller, "revocation", subject=known.user_id, reason="user-deletion")
        now = self.now()
        announced, _ = await at_once(
            self.ending.end_user(known.user_id, why, now),
            self.ending_api_keys.end_all(caller, known.user_id, "user-deletion", now),
        )
        if not await self.users.delete(disabled):
            raise UserChangedMeanwhile
        self.audit.record(AuditEvent.by(caller, "user-deletion", subject=known.user_id), self.now())
        return announced
