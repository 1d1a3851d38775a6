"""The user does not let the client in."""

from dataclasses import dataclass

from services.auth.domain.authorization_requests import Parameters
from services.auth.domain.authorization_steps import GoTo, denied
from services.auth.flows.authorization_requests import AuthorizationRequests
from shared.clock import Clock
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DenyAuthorization:
    """Needs no login: whoever does not want to log in says no, too.

    Raises:
        UnusableAuthorizationRequest: for the user alone. Unavailable: DynamoDB does not answer.
    """

    requests: AuthorizationRequests
    now: Clock

    async def __call__(self, parameters: Parameters) -> GoTo:
        request = await self.requests.read(parameters, self.now())
        if isinstance(request, GoTo):
            return request
        log.info("authorization_denied", client_id=request.client.client_id)
        return denied(request)
