"""Steps that the flows of auth's pages share: who is at the browser."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.browser_sessions import BrowserCookie, begin
from services.auth.domain.problems import InvalidCredentials
from services.auth.domain.revocations import revoked_up_to
from services.auth.domain.sessions import FIRST_PARTY_CLIENT, Origin
from services.auth.domain.users import User
from services.auth.flows.at_once import at_once
from services.auth.flows.password_check import Credentials, PasswordCheck
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.browser_sessions import BrowserSessions
from services.auth.stores.users import Users
from shared.tokens.revocation import EVERYTHING, Target
from shared.tokens.revocation_status import DirectReader


@dataclass(frozen=True, slots=True)
class BrowserLogins:
    """`seconds`: how long a login at a page lasts. All of them raise Unavailable."""

    password_check: PasswordCheck
    sessions: BrowserSessions
    users: Users
    revocations: DirectReader
    audit: AuditTrail
    seconds: int

    async def who(self, cookie: BrowserCookie | None, now: float) -> User | None:
        """The user as they are now; None: nobody is logged in, or not any more."""
        if cookie is None or not cookie.names_session:
            return None
        session = await self.sessions.get(cookie.id_hash)
        if session is None:
            return None
        targets = Target("user", session.user_id), EVERYTHING
        user, revocations = await at_once(self.users.get(session.username), self.revocations.read(targets))
        return user if session.goes_on(user, revoked_up_to(revocations), now) else None

    async def log_in(
        self, credentials: Credentials, origin: Origin, cookie: BrowserCookie | None, now: float
    ) -> BrowserCookie:
        """The browser's new cookie; what it had before is worth nothing any more. Raises what `PasswordCheck` does."""
        if not credentials.may_be_right:
            raise InvalidCredentials
        proven = await self.password_check.prove(credentials, origin, FIRST_PARTY_CLIENT, now, event="browser-login")
        user = proven.user
        new_cookie, session = begin(user, issued_at=proven.issued_at, seconds=self.seconds, now=now)
        await at_once(self.sessions.save(session), self.password_check.settle(proven), self.log_out(cookie))
        self.audit.record(AuditEvent("browser-login", "succeeded", user.user_id, user.user_id), now)
        return new_cookie

    async def log_out(self, cookie: BrowserCookie | None) -> None:
        if cookie is not None and cookie.names_session:
            await self.sessions.end(cookie.id_hash)
