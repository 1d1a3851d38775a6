"""`device_code`: a device asks whether its user has decided, and begins its session (RFC 8628 §3.4)."""

import contextlib
import hmac
from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.clients import UnverifiedClient
from services.auth.domain.device_codes import INTERVAL_SECONDS, DeviceAuthorization, DeviceCode, waiting
from services.auth.domain.grant_types import DEVICE_CODE
from services.auth.domain.oauth_errors import AuthorizationPending, InvalidGrant, SlowDown
from services.auth.domain.problems import NotAnnounced
from services.auth.domain.sessions import Origin, Session
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.flows.ending import Ending
from services.auth.flows.session_start import SessionStart, StartedSession
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.device_authorizations import DeviceAuthorizations
from services.auth.stores.sessions import Sessions
from shared.clock import Clock
from shared.ids import digest


@dataclass(frozen=True, slots=True)
class RedeemDeviceCode:
    """A device code gives one session. Each further use is refused and ends that session, as with any code.

    Raises:
        AuthorizationPending, SlowDown, AccessDenied, ExpiredToken: as RFC 8628 §3.5 has it.
        InvalidClient, UnauthorizedClient, InvalidGrant: as RFC 6749 §5.2 has it.
        Unavailable: DynamoDB does not answer.
    """

    authentication: ClientAuthentication
    authorizations: DeviceAuthorizations
    start: SessionStart
    sessions: Sessions
    ending: Ending
    audit: AuditTrail
    now: Clock

    async def __call__(
        self, unverified_client: UnverifiedClient | None, raw_device_code: str, origin: Origin
    ) -> StartedSession:
        now = self.now()
        client, _ = await self.authentication.for_grant(unverified_client, DEVICE_CODE, now)
        row = await self._authorization(DeviceCode.parse(raw_device_code), client.client_id)
        if row.session_id is not None:
            raise await self._second_use(row.session_id, now)
        if row.consent is None or waiting(row, now) is not None:
            raise await self._told_to_wait(row, now)
        started = await self.start.prepare(row.consent, client, origin, now)
        if not await self.authorizations.exchange(row, started.session):
            winner = await self.authorizations.get(row.code_hash)
            raise await self._second_use(winner.session_id if winner else None, now)
        session = started.session
        self.audit.record(
            AuditEvent(
                "device-code", "succeeded", client.client_id, session.user_id, client.client_id, details=_of(session)
            ),
            now,
        )
        return started

    async def _authorization(self, device_code: DeviceCode, client_id: str) -> DeviceAuthorization:
        row = await self.authorizations.get(device_code.code_hash)
        is_known = row is not None and hmac.compare_digest(digest(device_code.secret), row.secret_hash)
        if row is None or not is_known or row.client_id != client_id:
            raise InvalidGrant("This device code is not known.")
        return row

    async def _told_to_wait(self, row: DeviceAuthorization, now: float) -> Exception:
        error = waiting(row, now)
        if isinstance(error, SlowDown):
            await self.authorizations.note_asked(row, row.interval_seconds + INTERVAL_SECONDS, now)
        elif isinstance(error, AuthorizationPending):
            await self.authorizations.note_asked(row, row.interval_seconds, now)
        return error or InvalidGrant("This device code is not known.")

    async def _second_use(self, session_id: str | None, now: float) -> InvalidGrant:
        session = await self.sessions.get(session_id) if session_id else None
        if session is not None:
            why = AuditEvent(
                "device-code-reuse",
                "refused",
                session.client_id,
                session.user_id,
                session.client_id,
                details=_of(session),
            )
            with contextlib.suppress(NotAnnounced):  # the announcer goes on; the device is refused in any case
                await self.ending.end(session, why, now)
        return InvalidGrant("This device code was used before, so what it gave was revoked. Begin again.")


def _of(session: Session) -> Details:
    return {"session_id": session.session_id, "scope": sorted(session.scope)}
