"""A user has entered a device's code: which device it is, and what it asks for."""

from dataclasses import dataclass

from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.domain.device_steps import AskDeviceLogin, AskUserCode, DeviceStep
from services.auth.domain.sessions import Origin
from services.auth.flows.browser_logins import BrowserLogins
from services.auth.flows.device_search import DeviceSearch
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class FindDevice:
    """Decides nothing.

    Raises:
        Unavailable: DynamoDB or Redis does not answer.
    """

    logins: BrowserLogins
    search: DeviceSearch
    now: Clock

    async def __call__(self, cookie: BrowserCookie, raw_user_code: str, origin: Origin) -> DeviceStep:
        now = self.now()
        user = await self.logins.who(cookie, now)
        if user is None:
            return AskDeviceLogin()
        found = await self.search.find(user, raw_user_code, origin, now)
        return found if isinstance(found, AskUserCode) else found.asked
