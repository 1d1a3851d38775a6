"""From a username and a password to a session, in two network waits."""

from dataclasses import dataclass

from services.auth.domain.access_tokens import Grant
from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.refresh import RefreshToken
from services.auth.domain.sessions import FIRST_PARTY_CLIENT, Origin, Session, start_session
from services.auth.domain.users import scope_of
from services.auth.flows.at_once import at_once
from services.auth.flows.issuing import AccessTokens, IssuedToken, Reserved
from services.auth.flows.password_check import Credentials, PasswordCheck, Proven
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.sessions import Sessions
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class LoggedIn:
    access: IssuedToken
    refresh_token: RefreshToken
    session: Session


@dataclass(frozen=True, slots=True)
class Login:
    """A session of the first-party client, with all that the user may do. Raises what `PasswordCheck` does."""

    password_check: PasswordCheck
    sessions: Sessions
    access_tokens: AccessTokens
    audit: AuditTrail
    now: Clock

    async def __call__(self, credentials: Credentials, origin: Origin) -> LoggedIn:
        now = self.now()
        proven = await self.password_check.prove(credentials, origin, FIRST_PARTY_CLIENT, now)
        reserved = await self.access_tokens.reserve(FIRST_PARTY_CLIENT, proven.issued_at)
        logged_in = self._begin(proven, origin, reserved)
        await at_once(self.sessions.save(logged_in.session), self.password_check.settle(proven))
        who = proven.user.user_id
        details: Details = {"session_id": logged_in.session.session_id}
        self.audit.record(AuditEvent("login", "succeeded", who, who, FIRST_PARTY_CLIENT, details=details), now)
        return logged_in

    def _begin(self, proven: Proven, origin: Origin, reserved: Reserved) -> LoggedIn:
        now, user = self.now(), proven.user
        session, refresh_token = start_session(
            user,
            origin,
            client_id=FIRST_PARTY_CLIENT,
            scope=scope_of(user.roles, user.permissions),
            issued_at=proven.issued_at,
            token_id=reserved.token_id,
            lifetimes=self.access_tokens.lifetimes,
            now=now,
        )
        grant = Grant.of_session(session, user, session.scope)
        access = self.access_tokens.issue(grant, issued_at=proven.issued_at, now=now, reserved=reserved)
        return LoggedIn(access, refresh_token, session)
