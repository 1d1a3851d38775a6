"""A device asks for a code that it can show (RFC 8628 §3.1)."""

from dataclasses import dataclass

from services.auth.domain.clients import UnverifiedClient, narrow_scope
from services.auth.domain.device_codes import DeviceCode, UserCode, new_device_authorization
from services.auth.domain.grant_types import DEVICE_CODE
from services.auth.domain.lockout import counted_address
from services.auth.domain.problems import TooManyDevices
from services.auth.domain.sessions import Origin
from services.auth.flows.client_authentication import ClientAuthentication
from services.auth.stores.device_authorizations import DeviceAuthorizations
from services.auth.stores.request_budgets import RequestBudgets
from shared.clock import Clock
from shared.errors import Unavailable

_TRIES = 3


@dataclass(frozen=True, slots=True)
class StartDeviceAuthorization:
    """Two codes, of which only the hashes are kept.

    Raises:
        InvalidClient, UnauthorizedClient, InvalidScope: as RFC 6749 §5.2 has it.
        TooManyDevices: this address must wait. Unavailable: DynamoDB does not answer.
    """

    authentication: ClientAuthentication
    authorizations: DeviceAuthorizations
    budgets: RequestBudgets
    now: Clock

    async def __call__(
        self, unverified_client: UnverifiedClient | None, raw_scope: str | None, origin: Origin
    ) -> tuple[UserCode, DeviceCode]:
        now = self.now()
        client, _ = await self.authentication.for_grant(unverified_client, DEVICE_CODE, now)
        wait = self.budgets.take(counted_address(origin.address), now)
        if wait > 0:
            raise TooManyDevices("Too many devices begin at this address.", retry_after_seconds=wait)
        scope = narrow_scope(client.scope, raw_scope)
        for _ in range(_TRIES):
            user_code, device_code, row = new_device_authorization(client.client_id, scope, origin, now)
            if await self.authorizations.add(row):
                return user_code, device_code
        raise Unavailable("There is no user code to give right now. Ask again.")
