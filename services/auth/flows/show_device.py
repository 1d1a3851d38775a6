"""`GET /oauth2/device`: the page for the code that a device shows."""

from dataclasses import dataclass

from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.domain.device_steps import AskDeviceLogin, AskUserCode
from services.auth.flows.browser_logins import BrowserLogins
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class ShowDevice:
    """A code that comes with the address is only filled in: the user compares it with the device (RFC 8628 §3.3.1).

    Raises:
        Unavailable: DynamoDB does not answer.
    """

    logins: BrowserLogins
    now: Clock

    async def __call__(self, cookie: BrowserCookie, raw_user_code: str) -> AskDeviceLogin | AskUserCode:
        user = await self.logins.who(cookie, self.now())
        return AskDeviceLogin() if user is None else AskUserCode(user.username, raw_user_code)
