"""`refresh_token`: the next tokens of a session (RFC 6749 §6, RFC 9700 §4.14)."""

import contextlib
from dataclasses import dataclass

from services.auth.domain.access_tokens import Grant
from services.auth.domain.clients import UnverifiedClient, narrow_scope
from services.auth.domain.oauth_errors import InvalidGrant
from services.auth.domain.problems import NotAnnounced
from services.auth.domain.refresh import RefreshToken, judge, repeat, rotate
from services.auth.domain.revocations import ends_session, targets_of_session
from services.auth.domain.sessions import Session
from services.auth.domain.users import User, scope_of
from services.auth.flows.at_once import at_once
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.ending import Ending
from services.auth.flows.issuing import AccessTokens, IssuedToken
from services.auth.stores.sessions import Sessions
from services.auth.stores.users import Users
from shared.clock import Clock
from shared.telemetry.logs import get_logger
from shared.tokens.revocation import DirectReader, Target

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Refreshed:
    access: IssuedToken
    refresh_token: RefreshToken


@dataclass(frozen=True, slots=True)
class RefreshSession:
    """Rotates. Of many uses of one token at once one rotates, and all get the same successor for a short grace.

    What says that the session has ended is read from the durable truth, so a refresh never brings back what was
    revoked. An old token that comes back after the grace was copied by somebody: the session ends.

    Raises:
        InvalidGrant: the token is not good, or is good no more. InvalidClient, InvalidScope: as RFC 6749 §5.2 has it.
        Unavailable: DynamoDB does not answer. The same token can be sent again.
    """

    authentication: ClientAuthentication
    sessions: Sessions
    users: Users
    revocations: DirectReader
    ending: Ending
    access_tokens: AccessTokens
    now: Clock

    async def __call__(
        self, unverified_client: UnverifiedClient | None, raw_token: str, raw_scope: str | None
    ) -> Refreshed:
        now = self.now()
        presented = RefreshToken.parse(raw_token)
        client_id = await self.authentication.of_token_holder(unverified_client, now)
        session = await self.sessions.get(presented.session_id)
        if session is None or session.client_id != client_id:
            raise InvalidGrant("This refresh token is not known.")
        scope = narrow_scope(session.scope, raw_scope)
        targets = Target("user", session.user_id), Target("client", session.client_id)
        revoked_up_to = self.access_tokens.revoked_up_to(*targets)
        successor, user = await self._exchange(presented, session, now)
        grant = Grant.of_session(session, user, scope & scope_of(user.roles, user.permissions))
        issued_at = self.access_tokens.second_after(revoked_up_to, now)
        access = self.access_tokens.issue(grant, issued_at=issued_at, now=now)
        return Refreshed(access, successor)

    async def _exchange(self, presented: RefreshToken, session: Session, now: float) -> tuple[RefreshToken, User]:
        """Successor and user, read at once: where the user or a revocation forbids it, the successor stays with us."""
        successor, user, revocations = await at_once(
            self._successor(presented, session, now),
            self.users.get(session.username),
            self.revocations.read(targets_of_session(session)),
        )
        if user is None or user.disabled or ends_session(revocations, session):
            raise InvalidGrant("The session has ended. Log in again.")
        return successor, user

    async def _successor(self, presented: RefreshToken, session: Session, now: float) -> RefreshToken:
        grace_seconds = self.access_tokens.lifetimes.grace_seconds
        use = judge(presented, session.refresh, grace_seconds, now)
        if use == "current" and session.is_alive(now):
            successor, state = rotate(presented, session.refresh, now)
            tokens_expire_at = self.access_tokens.lifetimes.tokens_expire_at(now)
            as_it_stands = await self.sessions.rotate(session, state, tokens_expire_at=tokens_expire_at, now=now)
            if as_it_stands is None:
                return successor
            session, use = as_it_stands, judge(presented, as_it_stands.refresh, grace_seconds, now)
        if use == "forged" or not session.is_alive(now):
            raise InvalidGrant("The session has ended. Log in again.")
        if use == "repeated":
            return repeat(presented, session.refresh)
        log.warning("refresh_token_reused", session_id=session.session_id, user_id=session.user_id)
        with contextlib.suppress(NotAnnounced):  # the announcer goes on; the client is refused in any case
            await self.ending.end(session, now)
        raise InvalidGrant("This refresh token was used before, so its session was ended. Log in again.")
