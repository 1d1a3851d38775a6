"""A step that every login shares, at `/api/login` and at the login page: whose password it is."""

import asyncio
import math
from collections.abc import Awaitable
from dataclasses import dataclass, field

from services.auth.domain.audit import AuditEvent, Details, EventName
from services.auth.domain.lockout import counted_address
from services.auth.domain.problems import InvalidCredentials, TooManyAttempts, TooManyLogins
from services.auth.domain.sessions import Origin
from services.auth.domain.users import LONGEST_USERNAME, User, fold_username
from services.auth.flows.at_once import at_once
from services.auth.flows.issuing import AccessTokens
from services.auth.passwords import Passwords
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.login_attempts import LoginAttempts
from services.auth.stores.users import Users
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.tokens.revocation import Target

_LONGEST = 128
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Credentials:
    """As they were typed."""

    username: str
    password: str = field(repr=False)

    @property
    def may_be_right(self) -> bool:
        """Whether they have the length that a username and a password may have; nothing else is worth looking for."""
        return (
            0 < len(self.username) <= _LONGEST
            and 0 < len(self.password) <= _LONGEST
            and len(fold_username(self.username)) <= LONGEST_USERNAME
        )


@dataclass(frozen=True, slots=True)
class Proven:
    """Whose password it was. `issued_at` is the `iat` for what is issued on the strength of the user's row."""

    user: User
    issued_at: int
    address: str
    weak_password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Attempt:
    username: str
    address: str
    client_id: str
    event: EventName
    now: float

    def refused(self, user: User | None, reason: str, details: Details | None = None) -> AuditEvent:
        """Nothing of what was typed: a password may have been typed in the place of a name."""
        subject = user.user_id if user else None
        return AuditEvent(self.event, "refused", None, subject, self.client_id, reason, details or {})


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """The same answer, in the same time, for a user who does not exist, is disabled, or has another password.

    Each try counts as a wrong one until it is known to be right: however many come at once, no more are checked than
    are free.
    """

    users: Users
    attempts: LoginAttempts
    passwords: Passwords
    access_tokens: AccessTokens
    audit: AuditTrail

    async def prove(
        self, credentials: Credentials, origin: Origin, client_id: str, now: float, *, event: EventName = "login"
    ) -> Proven:
        """Who it is; `settle` must follow. What is refused is recorded as this event.

        Raises:
            InvalidCredentials: as said above.
            TooManyAttempts: this user or this address has to wait; nothing was checked.
            TooManyLogins: more passwords wait to be checked than this instance takes.
            Unavailable: DynamoDB or Redis does not answer. Without Redis nobody counts tries, so nobody may try.
        """
        attempt = _Attempt(fold_username(credentials.username), counted_address(origin.address), client_id, event, now)
        with self.passwords.room():
            user = await self._admit(attempt)
            stored_hash = user.password_hash if user else None
            verification = await self.passwords.verify(stored_hash, credentials.password)
        if user is None or not verification.is_right or user.disabled:
            reason = "unknown_user" if user is None else "disabled" if user.disabled else "wrong_password"
            self.audit.record(attempt.refused(user, reason), now)
            raise InvalidCredentials
        user, issued_at = await self._after_revocations(user, attempt)
        return Proven(user, issued_at, attempt.address, credentials.password if verification.is_weak else None)

    async def settle(self, proven: Proven) -> None:
        """What follows a right password: it was no failure, and a hash that is weaker than new ones is replaced."""
        cleared = self._uncount(self.attempts.clear(proven.user.username, proven.address))
        await at_once(cleared, self._improve_hash(proven))

    async def _admit(self, attempt: _Attempt) -> User | None:
        """The user, if a try may come now; it is counted."""
        counted = self.attempts.count_failure(attempt.username, attempt.address, attempt.now)
        found, wait = await asyncio.gather(self.users.get(attempt.username), counted, return_exceptions=True)
        if isinstance(wait, BaseException):
            raise wait
        if wait > 0:
            user = None if isinstance(found, BaseException) else found
            details: Details = {"wait_seconds": math.ceil(wait)}
            self.audit.record(attempt.refused(user, "too_many_attempts", details), attempt.now)
            raise TooManyAttempts("Too many wrong passwords. Wait, then try again.", retry_after_seconds=wait)
        if isinstance(found, BaseException):
            await self._uncount(self.attempts.take_back(attempt.username, attempt.address))
            raise found
        return found

    async def _after_revocations(self, user: User, attempt: _Attempt) -> tuple[User, int]:
        """The user, and the `iat` for what is issued on the strength of this row.

        When the user's tokens or sessions were ended in this very second, the next one is waited for, and the row read
        again. Only whoever knows the password waits: to all others it would tell that there is such a user.
        """
        targets = Target("user", user.user_id), Target("client", attempt.client_id)
        issued_at = int(attempt.now)
        while True:
            ended_up_to = max(self.access_tokens.revoked_up_to(*targets), user.password_changed_at)
            needed = await self.access_tokens.second_after(ended_up_to, attempt.now)
            if needed == issued_at:
                return user, issued_at
            latest = await self.users.get(attempt.username)
            if latest is None or latest.disabled or latest.password_hash != user.password_hash:
                self.audit.record(attempt.refused(user, "changed_meanwhile"), attempt.now)
                raise InvalidCredentials
            user, issued_at = latest, needed

    async def _improve_hash(self, proven: Proven) -> None:
        if proven.weak_password is None:
            return
        try:
            await self.users.replace_hash(proven.user, await self.passwords.hash(proven.weak_password))
        except (TooManyLogins, Unavailable):  # the answer is right all the same; another login will do it
            log.warning("password_not_rehashed", user_id=proven.user.user_id)
        else:
            log.info("password_rehashed", user_id=proven.user.user_id)

    async def _uncount(self, uncounting: Awaitable[None]) -> None:
        try:
            await uncounting
        except Unavailable:  # the answer is right all the same; the count ends by itself
            log.warning("login_attempts_not_cleared")
