"""A step that the grants share to which a user has consented: a session of the client."""

from dataclasses import dataclass

from services.auth.domain.access_tokens import Grant
from services.auth.domain.clients import Client
from services.auth.domain.consents import Consent
from services.auth.domain.grant_types import REFRESH_TOKEN
from services.auth.domain.oauth_errors import InvalidGrant
from services.auth.domain.refresh import RefreshToken
from services.auth.domain.revocations import revoked_up_to
from services.auth.domain.sessions import Origin, Session, start_session
from services.auth.domain.users import scope_of
from services.auth.flows.at_once import at_once
from services.auth.flows.issuing import AccessTokens, IssuedToken
from services.auth.stores.users import Users
from shared.tokens.revocation_status import DirectReader


@dataclass(frozen=True, slots=True)
class StartedSession:
    """`refresh_token`: None for a client that is not registered for refreshing."""

    session: Session
    access: IssuedToken
    refresh_token: RefreshToken | None


@dataclass(frozen=True, slots=True)
class SessionStart:
    users: Users
    revocations: DirectReader
    access_tokens: AccessTokens

    async def prepare(self, consent: Consent, client: Client, origin: Origin, now: float) -> StartedSession:
        """All of a session but its row: the caller stores that, in one with the use of what stands for the consent.

        What forbids it is read from the durable truth.

        Raises:
            InvalidGrant: the consent holds no more. Unavailable: DynamoDB does not answer.
        """
        issued_at = await self.access_tokens.second_after(self.access_tokens.revoked_up_to(*consent.targets), now)
        user, revocations = await at_once(self.users.get(consent.username), self.revocations.read(consent.targets))
        if user is None or not consent.holds(user, revoked_up_to(revocations)):
            raise InvalidGrant("What the user has consented to was revoked. Ask again.")
        reserved = await self.access_tokens.reserve(consent.client_id, issued_at)
        session, refresh_token = start_session(
            user,
            origin,
            client_id=consent.client_id,
            scope=consent.scope,
            issued_at=issued_at,
            token_id=reserved.token_id,
            lifetimes=self.access_tokens.lifetimes,
            now=now,
        )
        grant = Grant.of_session(session, user, consent.scope & scope_of(user.roles, user.permissions))
        access = self.access_tokens.issue(grant, issued_at=issued_at, now=now, reserved=reserved)
        return StartedSession(session, access, refresh_token if REFRESH_TOKEN in client.grant_types else None)
