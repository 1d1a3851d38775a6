"""A password is typed on the way to an authorization."""

from dataclasses import dataclass

from services.auth.domain.authorization_requests import Parameters
from services.auth.domain.authorization_steps import AskLogin, GoTo
from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.domain.problems import InvalidCredentials
from services.auth.domain.sessions import Origin
from services.auth.flows.authorization_requests import AuthorizationRequests
from services.auth.flows.browser_logins import BrowserLogins
from services.auth.flows.password_check import Credentials
from shared.clock import Clock
from shared.errors import RateLimited


@dataclass(frozen=True, slots=True)
class LogInAtAuthorization:
    """The browser's new cookie, or the login page again with the reason.

    Raises:
        UnusableAuthorizationRequest: for the user alone. Unavailable: DynamoDB or Redis does not answer.
    """

    requests: AuthorizationRequests
    logins: BrowserLogins
    now: Clock

    async def __call__(
        self, parameters: Parameters, credentials: Credentials, origin: Origin, cookie: BrowserCookie | None
    ) -> BrowserCookie | AskLogin | GoTo:
        now = self.now()
        request = await self.requests.read(parameters, now)
        if isinstance(request, GoTo):
            return request
        try:
            return await self.logins.log_in(credentials, origin, cookie, now)
        except (InvalidCredentials, RateLimited) as refusal:
            return AskLogin(request, refusal)
