"""An administrator ends everything that a user has out there, API keys too; the user can log in again."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.problems import UserNotFound
from services.auth.domain.users import may_be_user_id
from services.auth.flows.ending import Announced, Ending
from services.auth.flows.ending_api_keys import EndingApiKeys
from services.auth.stores.users import Users
from shared.clock import Clock
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class RevokeUser:
    """Raises UserNotFound. Unavailable: not all is done; ask again. NotAnnounced: not every verifier knows yet."""

    users: Users
    ending: Ending
    ending_api_keys: EndingApiKeys
    now: Clock

    async def __call__(self, caller: Caller, unverified_user_id: str) -> Announced:
        user = await self.users.by_id(unverified_user_id) if may_be_user_id(unverified_user_id) else None
        if user is None:
            raise UserNotFound
        now = self.now()
        why = AuditEvent.by(caller, "revocation", subject=user.user_id, details={"kind": "user"})
        revoking = self.ending.end_user(user.user_id, why, now)
        return await self.ending_api_keys.end_all_after(revoking, caller, user.user_id, now)
