"""A password is typed on the way to a device's code."""

from dataclasses import dataclass

from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.domain.device_steps import AskDeviceLogin
from services.auth.domain.problems import InvalidCredentials
from services.auth.domain.sessions import Origin
from services.auth.flows.browser_logins import BrowserLogins
from services.auth.flows.password_check import Credentials
from shared.clock import Clock
from shared.errors import RateLimited


@dataclass(frozen=True, slots=True)
class LogInAtDevice:
    """The browser's new cookie, or the login page again with the reason.

    Raises:
        Unavailable: DynamoDB or Redis does not answer.
    """

    logins: BrowserLogins
    now: Clock

    async def __call__(
        self, credentials: Credentials, origin: Origin, cookie: BrowserCookie
    ) -> BrowserCookie | AskDeviceLogin:
        try:
            return await self.logins.log_in(credentials, origin, cookie, self.now())
        except (InvalidCredentials, RateLimited) as refusal:
            return AskDeviceLogin(refusal)
