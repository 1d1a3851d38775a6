"""From a username and a password to a session, in two network waits."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

from services.auth.domain.access_tokens import Grant
from services.auth.domain.lockout import counted_address
from services.auth.domain.problems import InvalidCredentials, TooManyAttempts, TooManyLogins
from services.auth.domain.refresh import RefreshToken
from services.auth.domain.sessions import FIRST_PARTY_CLIENT, Origin, Session, start_session
from services.auth.domain.users import User, fold_username
from services.auth.flows.at_once import at_once
from services.auth.flows.issuing import AccessTokens, IssuedToken
from services.auth.passwords import Passwords, Verification
from services.auth.stores.login_attempts import LoginAttempts
from services.auth.stores.sessions import Sessions
from services.auth.stores.users import Users
from shared.clock import Clock
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.tokens.revocation import Target

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Credentials:
    """As they were typed."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    access: IssuedToken
    refresh_token: RefreshToken
    session: Session


@dataclass(frozen=True, slots=True)
class Login:
    """The same answer, in the same time, for a user who does not exist, is disabled, or has another password.

    Each try counts as a wrong one until it is known to be right: however many come at once, no more are checked than
    are free.

    Raises:
        InvalidCredentials: one of these three.
        TooManyAttempts: this user or this address has to wait; nothing was checked.
        TooManyLogins: more passwords wait to be checked than this instance takes.
        Unavailable: DynamoDB or Redis does not answer. Without Redis nobody counts tries, so nobody may try.
    """

    users: Users
    attempts: LoginAttempts
    passwords: Passwords
    sessions: Sessions
    access_tokens: AccessTokens
    now: Clock

    async def __call__(self, credentials: Credentials, origin: Origin) -> LoggedIn:
        now = self.now()
        username, address = fold_username(credentials.username), counted_address(origin.address)
        user, issued_at = await self._admit(username, address, now)
        verification = await self._verify(user, credentials.password, username, address)
        if user is None or not verification.is_right or user.disabled:
            reason = "unknown_user" if user is None else "disabled" if user.disabled else "wrong_password"
            log.warning("login_refused", reason=reason, user_id=user and user.user_id, address=address)
            raise InvalidCredentials
        logged_in = self._begin(user, origin, issued_at)
        improved = self._improve_hash(user, credentials.password) if verification.is_weak else None
        cleared = self._uncount(self.attempts.clear(username, address))
        steps = (self.sessions.save(logged_in.session), cleared, improved)
        await at_once(*(step for step in steps if step is not None))
        log.info("login_succeeded", user_id=user.user_id, session_id=logged_in.session.session_id, address=address)
        return logged_in

    async def _admit(self, username: str, address: str, now: float) -> tuple[User | None, int]:
        """What `_find` finds, if a try may come now; it is counted."""
        counted = self.attempts.count_failure(username, address, now)
        found, wait = await asyncio.gather(self._find(username, now), counted, return_exceptions=True)
        if isinstance(wait, BaseException):
            raise wait
        if wait > 0:
            log.warning("login_refused", reason="too_many_attempts", address=address, wait_seconds=round(wait, 1))
            raise TooManyAttempts("Too many wrong passwords. Wait, then try again.", retry_after_seconds=wait)
        if isinstance(found, BaseException):
            await self._uncount(self.attempts.take_back(username, address))
            raise found
        return found

    async def _find(self, username: str, now: float) -> tuple[User | None, int]:
        """The user, and the `iat` for what is issued on the strength of this row.

        When all tokens of the user were revoked in this very second, the row is read again for a later `iat`.
        """
        issued_at = int(now)
        user = await self.users.get(username)
        while user is not None:
            targets = Target("user", user.user_id), Target("client", FIRST_PARTY_CLIENT)
            needed = self.access_tokens.second_after(self.access_tokens.revoked_up_to(*targets), now)
            if needed == issued_at:
                break
            issued_at = needed
            user = await self.users.get(username)
        return user, issued_at

    async def _verify(self, user: User | None, password: str, username: str, address: str) -> Verification:
        try:
            return await self.passwords.verify(user.password_hash if user else None, password)
        except TooManyLogins:
            await self._uncount(self.attempts.take_back(username, address))
            raise

    def _begin(self, user: User, origin: Origin, issued_at: int) -> LoggedIn:
        now = self.now()
        session, refresh_token = start_session(user, origin, issued_at, self.access_tokens.lifetimes, now)
        grant = Grant.of_session(session, user, session.scope)
        return LoggedIn(self.access_tokens.issue(grant, issued_at=issued_at, now=now), refresh_token, session)

    async def _improve_hash(self, user: User, password: str) -> None:
        await self.users.replace_hash(user, await self.passwords.hash(password))
        log.info("password_rehashed", user_id=user.user_id)

    async def _uncount(self, uncounting: Awaitable[None]) -> None:
        try:
            await uncounting
        except Unavailable:  # the answer is right all the same; the count ends by itself
            log.warning("login_attempts_not_cleared")
