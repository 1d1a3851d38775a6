"""`GET /oauth2/authorize`: what to show first."""

from dataclasses import dataclass

from services.auth.domain.authorization_requests import Parameters
from services.auth.domain.authorization_steps import GoTo, Step, next_step
from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.flows.authorization_requests import AuthorizationRequests
from services.auth.flows.browser_logins import BrowserLogins
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class ShowAuthorization:
    """Changes nothing.

    Raises:
        UnusableAuthorizationRequest: for the user alone. Unavailable: DynamoDB does not answer.
    """

    requests: AuthorizationRequests
    logins: BrowserLogins
    now: Clock

    async def __call__(self, parameters: Parameters, cookie: BrowserCookie | None) -> Step:
        now = self.now()
        request = await self.requests.read(parameters, now)
        if isinstance(request, GoTo):
            return request
        return next_step(request, await self.logins.who(cookie, now))
