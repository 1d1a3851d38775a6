"""The user does not let the client in."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.authorization_requests import Parameters
from services.auth.domain.authorization_steps import GoTo, denied
from services.auth.flows.authorization_requests import AuthorizationRequests
from services.auth.stores.audit_trail import AuditTrail
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class DenyAuthorization:
    """Needs no login: whoever does not want to log in says no, too.

    Raises:
        UnusableAuthorizationRequest: for the user alone. Unavailable: DynamoDB does not answer.
    """

    requests: AuthorizationRequests
    audit: AuditTrail
    now: Clock

    async def __call__(self, parameters: Parameters) -> GoTo:
        now = self.now()
        request = await self.requests.read(parameters, now)
        if isinstance(request, GoTo):
            return request
        event = AuditEvent("authorization", "refused", client_id=request.client.client_id, reason="denied")
        self.audit.record(event, now)
        return denied(request)
