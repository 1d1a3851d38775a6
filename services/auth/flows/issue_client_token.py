"""`client_credentials`: a token for a program itself (RFC 6749 §4.4)."""

from dataclasses import dataclass

from services.auth.domain.access_tokens import Grant
from services.auth.domain.clients import UnverifiedClient, narrow_scope
from services.auth.domain.grant_types import CLIENT_CREDENTIALS
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.issuing import AccessTokens, IssuedToken
from shared.clock import Clock
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IssueClientToken:
    """No session and no refresh token: the client asks again.

    Raises:
        InvalidClient, UnauthorizedClient, InvalidScope: as RFC 6749 §5.2 has it.
        Unavailable: DynamoDB does not answer.
    """

    authentication: ClientAuthentication
    access_tokens: AccessTokens
    now: Clock

    async def __call__(self, unverified_client: UnverifiedClient | None, raw_scope: str | None) -> IssuedToken:
        now = self.now()
        client, issued_at = await self.authentication.for_grant(unverified_client, CLIENT_CREDENTIALS, now)
        grant = Grant.of_client(client, narrow_scope(client.scope, raw_scope))
        issued = self.access_tokens.issue(grant, issued_at=issued_at, now=now)
        log.info("client_token_issued", client_id=client.client_id, scope=sorted(issued.scope))
        return issued
