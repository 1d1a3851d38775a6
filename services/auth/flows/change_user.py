"""An administrator changes a user, or users change what is theirs to change."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.own_login import must_be_own_login
from services.auth.domain.problems import UserChangedMeanwhile, UserNotFound
from services.auth.domain.user_changes import UserChange, check_new_password, must_be_admin_for, must_be_admin_or
from services.auth.domain.users import ADMIN_SCOPE, User, may_be_user_id
from services.auth.flows.ending import Ending
from services.auth.passwords import Passwords
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.users import Users
from shared.clock import Clock
from shared.tokens.claims import Caller

_TRIES = 3


@dataclass(frozen=True, slots=True)
class ChangeUser:
    """First the row, then, where the change asks for it, everything ends that was given out on the strength of the old.

    Raises:
        LoginNeeded, AdminNeeded, UserNotFound, ValidationFailed, LastAdmin, UserChangedMeanwhile, TooManyLogins:
            nothing has changed.
        Unavailable: nothing was changed, or it was, and not everything has ended: the same request again does the rest.
        NotAnnounced: changed and ended, but not every verifier knows yet.
    """

    users: Users
    passwords: Passwords
    ending: Ending
    audit: AuditTrail
    now: Clock

    async def __call__(self, caller: Caller, unverified_user_id: str, change: UserChange) -> User:
        must_be_admin_or(unverified_user_id, caller)
        must_be_admin_for(change.given, caller)
        if ADMIN_SCOPE not in caller.scope:
            must_be_own_login(caller)
        known = await self._known(unverified_user_id)
        password_hash = None
        if "password" in change.given:
            check_new_password(change.password, known.username, "/password")
            password_hash = await self.passwords.hash(change.password)
        before, after = await self._stored(known, change, password_hash)
        self.audit.record(_changed(caller, after, change), self.now())
        if change.ends_all(before, after):
            why = AuditEvent.by(caller, "revocation", subject=after.user_id, reason="user-change")
            await self.ending.end_user(after.user_id, why, self.now())
        return after

    async def _known(self, unverified_user_id: str) -> User:
        user = await self.users.by_id(unverified_user_id) if may_be_user_id(unverified_user_id) else None
        if user is None:
            raise UserNotFound
        return user

    async def _stored(self, known: User, change: UserChange, password_hash: str | None) -> tuple[User, User]:
        """The user before the change and after it; where another change came between, it is made to what that left."""
        for _ in range(_TRIES):
            after = await self.users.change(known, change.applied(known, password_hash, self.now()))
            if after is not None:
                return known, after
            known = await self._known(known.user_id)
        raise UserChangedMeanwhile


def _changed(caller: Caller, user: User, change: UserChange) -> AuditEvent:
    details: Details = {
        "changed": sorted(change.given),
        "roles": user.roles,
        "permissions": user.permissions,
        "disabled": user.disabled,
    }
    return AuditEvent.by(caller, "user-change", subject=user.user_id, details=details)
