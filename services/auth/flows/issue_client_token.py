"""`client_credentials`: a token for a program itself (RFC 6749 §4.4)."""

from dataclasses import dataclass

from services.auth.domain.access_tokens import Grant
from services.auth.domain.audit import AuditEvent
from services.auth.domain.clients import UnverifiedClient, narrow_scope
from services.auth.domain.grant_types import CLIENT_CREDENTIALS
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.issuing import AccessTokens, IssuedToken
from services.auth.stores.audit_trail import AuditTrail
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class IssueClientToken:
    """No session and no refresh token: the client asks again.

    Raises:
        InvalidClient, UnauthorizedClient, InvalidScope: as RFC 6749 §5.2 has it.
        Unavailable: DynamoDB does not answer.
    """

    authentication: ClientAuthentication
    access_tokens: AccessTokens
    audit: AuditTrail
    now: Clock

    async def __call__(self, unverified_client: UnverifiedClient | None, raw_scope: str | None) -> IssuedToken:
        now = self.now()
        client, issued_at = await self.authentication.for_grant(unverified_client, CLIENT_CREDENTIALS, now)
        grant = Grant.of_client(client, narrow_scope(client.scope, raw_scope))
        reserved = await self.access_tokens.reserve(client.client_id, issued_at, subject=grant.subject)
        issued = self.access_tokens.issue(grant, issued_at=issued_at, now=now, reserved=reserved)
        who, scope = client.client_id, sorted(issued.scope)
        self.audit.record(AuditEvent("client-token", "succeeded", who, who, who, details={"scope": scope}), now)
        return issued
