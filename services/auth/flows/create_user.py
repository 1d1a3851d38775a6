"""An administrator makes a user."""

from dataclasses import dataclass, field

from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.problems import UsernameTaken
from services.auth.domain.user_changes import check_new_password
from services.auth.domain.users import User, fold_username
from services.auth.passwords import Passwords
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.users import Users
from shared.clock import Clock
from shared.ids import new_id
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class NewUser:
    """As an administrator wants it."""

    username: str
    password: str = field(repr=False)
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    display_name: str | None


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Raises ValidationFailed: the password may not be chosen. UsernameTaken. TooManyLogins. Unavailable."""

    users: Users
    passwords: Passwords
    audit: AuditTrail
    now: Clock

    async def __call__(self, caller: Caller, new: NewUser) -> User:
        username = fold_username(new.username)
        check_new_password(new.password, username, "/password")
        password_hash, now = await self.passwords.hash(new.password), self.now()
        user = User(
            new_id("user"),
            username,
            password_hash,
            new.roles,
            new.permissions,
            display_name=new.display_name,
            created_at_ms=int(now * 1000),
            changed_at_ms=int(now * 1000),
        )
        if not await self.users.add(user):
            raise UsernameTaken
        details: Details = {"roles": new.roles, "permissions": new.permissions}
        self.audit.record(AuditEvent.by(caller, "user-creation", subject=user.user_id, details=details), now)
        return user
