"""The user lets the client in: a code for it."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.authorization_codes import new_code
from services.auth.domain.authorization_requests import Parameters
from services.auth.domain.authorization_steps import AskConsent, GoTo, Step, next_step
from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.domain.consents import Consent
from services.auth.flows.authorization_requests import AuthorizationRequests
from services.auth.flows.browser_logins import BrowserLogins
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.authorization_codes import AuthorizationCodes
from shared.clock import Clock
from shared.tokens.revocation import Target


@dataclass(frozen=True, slots=True)
class GrantAuthorization:
    """What stands in the way is shown instead, as if the page was asked for anew: the login may have ended meanwhile.

    Raises:
        UnusableAuthorizationRequest: for the user alone. Unavailable: DynamoDB does not answer.
    """

    requests: AuthorizationRequests
    logins: BrowserLogins
    codes: AuthorizationCodes
    audit: AuditTrail
    now: Clock

    async def __call__(self, parameters: Parameters, cookie: BrowserCookie | None) -> Step:
        now = self.now()
        request = await self.requests.read(parameters, now)
        if isinstance(request, GoTo):
            return request
        user = await self.logins.who(cookie, now)
        step = next_step(request, user)
        if user is None or not isinstance(step, AskConsent):
            return step
        client_id = request.client.client_id
        known = await self.requests.client(client_id, now, Target("user", user.user_id))
        consent = Consent(user.user_id, user.username, client_id, step.scope, known.issued_at)
        code, stored = new_code(request, consent, now)
        await self.codes.save(stored)
        who = user.user_id
        details: Details = {"scope": sorted(step.scope)}
        self.audit.record(AuditEvent("authorization", "succeeded", who, who, client_id, details=details), now)
        return GoTo(request.back.answer({"code": code}))
