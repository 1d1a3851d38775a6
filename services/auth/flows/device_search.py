"""A step that the flows of `/oauth2/device` share: the device that waits with a code."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.device_codes import DeviceAuthorization, UserCode
from services.auth.domain.device_steps import AskDeviceConsent, AskUserCode, ask_consent, unknown_code
from services.auth.domain.lockout import counted_address
from services.auth.domain.problems import TooManyCodes
from services.auth.domain.sessions import Origin
from services.auth.domain.users import User
from services.auth.flows.authorization_requests import AuthorizationRequests
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.code_attempts import CodeAttempts
from services.auth.stores.device_authorizations import DeviceAuthorizations
from shared.tokens.revocation import Target


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """`issued_at`: for a consent that is given on the strength of the client's row."""

    row: DeviceAuthorization
    asked: AskDeviceConsent
    issued_at: int


@dataclass(frozen=True, slots=True)
class DeviceSearch:
    requests: AuthorizationRequests
    authorizations: DeviceAuthorizations
    attempts: CodeAttempts
    audit: AuditTrail

    async def find(self, user: User, raw_user_code: str, origin: Origin, now: float) -> FoundDevice | AskUserCode:
        """Each search is counted before it is made, whether it finds something or not.

        Raises:
            Unavailable: DynamoDB or Redis does not answer.
        """
        wait = await self.attempts.count(user.user_id, counted_address(origin.address))
        if wait:
            self._record(user, "too_many_codes", now)
            problem = TooManyCodes("Too many codes were entered. Wait, then try again.", retry_after_seconds=wait)
            return AskUserCode(user.username, raw_user_code, problem.detail, problem)
        user_code = UserCode.parse(raw_user_code)
        row = await self.authorizations.get(user_code.code_hash) if user_code else None
        if user_code is None or row is None or not row.is_open(now):
            self._record(user, "unknown_code", now)
            return unknown_code(user, raw_user_code)
        known = await self.requests.client(row.client_id, now, Target("user", user.user_id))
        if known.client is None:
            return unknown_code(user, raw_user_code)
        asked = ask_consent(user, known.client, user_code, row)
        return asked if isinstance(asked, AskUserCode) else FoundDevice(row, asked, known.issued_at)

    def _record(self, user: User, reason: str, now: float) -> None:
        self.audit.record(AuditEvent("user-code", "refused", user.user_id, user.user_id, reason=reason), now)
