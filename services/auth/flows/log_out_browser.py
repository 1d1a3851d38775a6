"""Somebody else wants to log in at this browser."""

from dataclasses import dataclass

from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.flows.browser_logins import BrowserLogins


@dataclass(frozen=True, slots=True)
class LogOutBrowser:
    """Ends the login at auth's pages; sessions of clients go on. Raises Unavailable."""

    logins: BrowserLogins

    async def __call__(self, cookie: BrowserCookie | None) -> None:
        await self.logins.log_out(cookie)
