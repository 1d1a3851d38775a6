"""A user changes the own password."""

from dataclasses import dataclass, field, replace

from services.auth.domain.audit import AuditEvent
from services.auth.domain.own_login import must_be_own_login
from services.auth.domain.problems import (
    InvalidCredentials,
    NotAnnounced,
    SessionsNotEnded,
    UserChangedMeanwhile,
    WrongPassword,
)
from services.auth.domain.sessions import Origin
from services.auth.domain.user_changes import check_new_password
from services.auth.domain.users import User, normalize_password
from services.auth.flows.ending import Ending
from services.auth.flows.password_check import Credentials, PasswordCheck, Proven
from services.auth.passwords import Passwords
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.sessions import Sessions
from services.auth.stores.users import Users
from shared.clock import Clock
from shared.errors import FieldError, Unavailable, ValidationFailed
from shared.tokens.claims import Caller

_SAME = "is the present password; choose another"


@dataclass(frozen=True, slots=True)
class PasswordChange:
    present: str = field(repr=False)
    new: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Counts tries of the present password as a login does: a stolen token is no way to guess it faster.

    The write of the new hash ends all other sessions for good: none of them can be refreshed. Then the access tokens of
    each are revoked.

    Raises:
        LoginNeeded, ValidationFailed, WrongPassword, TooManyAttempts, TooManyLogins, UserChangedMeanwhile, Unavailable:
            nothing was changed.
        SessionsNotEnded, NotAnnounced: it is changed; access tokens of other sessions may live on for a while.
    """

    users: Users
    sessions: Sessions
    password_check: PasswordCheck
    passwords: Passwords
    ending: Ending
    audit: AuditTrail
    now: Clock

    async def __call__(self, caller: Caller, change: PasswordChange, origin: Origin) -> None:
        username = must_be_own_login(caller)
        if normalize_password(change.new) == normalize_password(change.present):
            raise ValidationFailed(_SAME, errors=[FieldError("/new_password", _SAME)])
        check_new_password(change.new, username, "/new_password")
        proven = await self._proven(caller, username, change.present, origin)
        password_hash = await self.passwords.hash(change.new)
        await self._store(proven.user, password_hash, caller.session_id)
        self.audit.record(AuditEvent.by(caller, "password-change"), self.now())
        await self._end_others(caller)

    async def _proven(self, caller: Caller, username: str, present: str, origin: Origin) -> Proven:
        try:
            proven = await self.password_check.prove(
                Credentials(username, present), origin, caller.client_id, self.now(), event="password-change"
            )
        except InvalidCredentials:
            raise WrongPassword from None
        await self.password_check.settle(replace(proven, weak_password=None))
        if proven.user.user_id != caller.user_id:  # another user has taken the name of one who was deleted
            raise WrongPassword
        return proven

    async def _store(self, known: User, password_hash: str, session_id: str | None) -> None:
        wanted = known.with_password(password_hash, self.now(), kept_session=session_id)
        changed = await self.users.change(known, wanted)
        if changed is None:
            raise UserChangedMeanwhile
        now = self.now()
        if int(now) > changed.password_changed_at:
            # While the write was under way, somebody may have logged in with the old password in a later second.
            await self.users.end_sessions(changed, now)

    async def _end_others(self, caller: Caller) -> None:
        now = self.now()
        try:
            of_user = await self.sessions.of_user(caller.user_id, now)
            await self.ending.end_each((each for each in of_user if each.session_id != caller.session_id), now)
        except NotAnnounced:
            raise
        except Unavailable as error:
            raise SessionsNotEnded from error
