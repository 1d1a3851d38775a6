"""`refresh_token`: the next tokens of a session (RFC 6749 §6, RFC 9700 §4.14)."""

import contextlib
from dataclasses import dataclass, replace
from typing import Literal

from services.auth.domain.access_tokens import Grant
from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.clients import UnverifiedClient, narrow_scope
from services.auth.domain.grant_types import REFRESH_TOKEN
from services.auth.domain.oauth_errors import InvalidGrant
from services.auth.domain.problems import NotAnnounced
from services.auth.domain.refresh import RefreshToken, judge, repeat, rotate
from services.auth.domain.revocations import ends_session, targets_of_session
from services.auth.domain.sessions import Session
from services.auth.domain.users import User, scope_of
from services.auth.flows.at_once import at_once
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.ending import Ending
from services.auth.flows.issuing import AccessTokens, IssuedToken, Reserved
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.sessions import Sessions
from services.auth.stores.users import Users
from shared.clock import Clock
from shared.tokens.revocation import Target
from shared.tokens.revocation_status import DirectReader

_ENDED = "The session has ended. Log in again."


@dataclass(frozen=True, slots=True)
class Refreshed:
    access: IssuedToken
    refresh_token: RefreshToken


@dataclass(frozen=True, slots=True)
class RefreshSession:
    """Rotates. Of many uses of one token at once one rotates, and all get the same successor for a short grace.

    The rotation is the last thing that is asked of DynamoDB, and the grace counts from then: what fails before leaves
    the token as it was.

    What says that the session has ended is read from the durable truth, so a refresh never brings back what was
    revoked. An old token that comes back after the grace was copied by somebody: the session ends.

    Raises:
        InvalidGrant: the token is not good, or is good no more.
        InvalidClient, UnauthorizedClient, InvalidScope: as RFC 6749 §5.2 has it.
        Unavailable: DynamoDB does not answer. The same token can be sent again.
    """

    authentication: ClientAuthentication
    sessions: Sessions
    users: Users
    revocations: DirectReader
    ending: Ending
    access_tokens: AccessTokens
    audit: AuditTrail
    now: Clock

    async def __call__(
        self, unverified_client: UnverifiedClient | None, raw_token: str, raw_scope: str | None
    ) -> Refreshed:
        now = self.now()
        presented = RefreshToken.parse(raw_token)
        client = await self.authentication.of_token_holder(unverified_client, now)
        client.must_be_for(REFRESH_TOKEN)
        session = await self.sessions.get(presented.session_id)
        if session is None or session.client_id != client.client_id:
            reason = "unknown_token" if session is None else "another_clients_token"
            raise self._refused(reason, session, now, "This refresh token is not known.")
        scope = narrow_scope(session.scope & client.scope, raw_scope)
        targets = Target("user", session.user_id), Target("client", session.client_id)
        issued_at = await self.access_tokens.second_after(self.access_tokens.revoked_up_to(*targets), now)
        use = await self._judged(presented, session, now)
        user = await self._user(session, now)
        granted = scope & scope_of(user.roles, user.permissions)
        if session.scope and not granted:  # a token that reaches nothing would fail somewhere else, and say less
            raise self._refused("no_scope_left", session, now, "Nothing is left of the scope that was granted.")
        grant = Grant.of_session(session, user, granted)
        reserved = None
        if session.may_list_another(now):
            reserved = await self.access_tokens.reserve(session.client_id, issued_at)
        access = self.access_tokens.issue(grant, issued_at=issued_at, now=now, reserved=reserved)
        if use == "current":
            successor = await self._rotated(presented, session, reserved)
        else:
            successor = await self._repeated(presented, session, reserved)
        self._record(session, use, now)
        return Refreshed(access, successor)

    async def _judged(self, presented: RefreshToken, session: Session, now: float) -> Literal["current", "repeated"]:
        """What this use of a token of a live session is; one that is neither is refused, and reuse ends the session."""
        use = judge(presented, session.refresh, self.access_tokens.lifetimes.grace_seconds, now)
        if use == "forged" or not session.is_alive(now):
            raise self._refused("forged_token" if use == "forged" else "ended_session", session, now)
        if use != "reused":
            return use
        why = AuditEvent(
            "refresh-token-reuse",
            "refused",
            subject=session.user_id,
            client_id=session.client_id,
            details={"session_id": session.session_id},
        )
        with contextlib.suppress(NotAnnounced):  # the announcer goes on; the client is refused in any case
            await self.ending.end(session, why, now)
        raise InvalidGrant("This refresh token was used before, so its session was ended. Log in again.")

    async def _user(self, session: Session, now: float) -> User:
        """As the user is now, where neither the user nor a revocation forbids that the session goes on."""
        user, revocations = await at_once(
            self.users.get(session.username), self.revocations.read(targets_of_session(session))
        )
        if user is None or not session.may_go_on(user):
            raise self._refused("user_changed", session, now)
        if ends_session(revocations, session):
            raise self._refused("revoked", session, now)
        return user

    async def _rotated(self, presented: RefreshToken, session: Session, reserved: Reserved | None) -> RefreshToken:
        """The successor, once it is stored; where another request was faster, the one that it has stored."""
        now = self.now()
        successor, state = rotate(presented, session.refresh, now)
        tokens_expire_at = self.access_tokens.lifetimes.tokens_expire_at(now)
        token_id = reserved.token_id if reserved else None
        as_it_stands = await self.sessions.rotate(
            session, state, token_id=token_id, tokens_expire_at=tokens_expire_at, now=now
        )
        if as_it_stands is None:
            return successor
        await self._judged(presented, as_it_stands, now)
        return await self._repeated(presented, as_it_stands, reserved)

    async def _repeated(self, presented: RefreshToken, session: Session, reserved: Reserved | None) -> RefreshToken:
        """The successor that was answered before. The access token that now goes with it will end with the session."""
        if reserved is not None and not await self.sessions.list_token(session, reserved.token_id):
            raise self._refused("ended_session", session, self.now())
        return repeat(presented, session.refresh)

    def _refused(self, reason: str, session: Session | None, now: float, description: str = _ENDED) -> InvalidGrant:
        """To be raised; the client is told less than the trail."""
        event = AuditEvent("token-refresh", "refused", reason=reason)
        if session is not None:
            event = replace(event, subject=session.user_id, client_id=session.client_id)
            event = replace(event, details={"session_id": session.session_id})
        self.audit.record(event, now)
        return InvalidGrant(description)

    def _record(self, session: Session, use: str, now: float) -> None:
        who = session.user_id
        details: Details = {"session_id": session.session_id, "use": use}
        self.audit.record(AuditEvent("token-refresh", "succeeded", who, who, session.client_id, details=details), now)
