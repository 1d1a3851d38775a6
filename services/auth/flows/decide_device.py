"""A user lets a device in, or does not."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent, Details, Outcome
from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.domain.consents import Consent
from services.auth.domain.device_steps import AskDeviceLogin, AskUserCode, DeviceDecided, DeviceStep, unknown_code
from services.auth.domain.sessions import Origin
from services.auth.flows.browser_logins import BrowserLogins
from services.auth.flows.device_search import DeviceSearch
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.device_authorizations import DeviceAuthorizations
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class DecideDevice:
    """Once: what was decided stays.

    Raises:
        Unavailable: DynamoDB or Redis does not answer.
    """

    logins: BrowserLogins
    search: DeviceSearch
    authorizations: DeviceAuthorizations
    audit: AuditTrail
    now: Clock

    async def __call__(self, cookie: BrowserCookie, raw_user_code: str, origin: Origin, *, allow: bool) -> DeviceStep:
        now = self.now()
        user = await self.logins.who(cookie, now)
        if user is None:
            return AskDeviceLogin()
        found = await self.search.find(user, raw_user_code, origin, now)
        if isinstance(found, AskUserCode):
            return found
        who, asked = user.user_id, found.asked
        client_id = asked.client.client_id
        consent = Consent(who, user.username, client_id, asked.scope, found.issued_at) if allow else None
        if not await self.authorizations.decide(found.row, consent):
            return unknown_code(user, raw_user_code)
        details: Details = {"scope": sorted(asked.scope)}
        outcome: Outcome = "succeeded" if allow else "refused"
        reason = None if allow else "denied"
        self.audit.record(AuditEvent("device-authorization", outcome, who, who, client_id, reason, details), now)
        return DeviceDecided(asked.client, is_allowed=allow)
