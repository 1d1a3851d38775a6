"""A step that the flows of `/oauth2/authorize` share: what the client asks, whichever instance was asked before."""

from dataclasses import dataclass

from services.auth.domain.authorization_requests import (
    AuthorizationRequest,
    Parameters,
    parse_request,
    return_address,
)
from services.auth.domain.authorization_steps import GoTo
from services.auth.domain.clients import may_be_client_id
from services.auth.domain.oauth_errors import OAuthError
from services.auth.flows.issuing import AccessTokens
from services.auth.stores.recent_clients import KnownClient, RecentClients
from shared.telemetry.logs import get_logger
from shared.tokens.revocation import Target

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuthorizationRequests:
    """The request travels in the address of every page and form, and is checked anew at each step: nothing is kept."""

    clients: RecentClients
    access_tokens: AccessTokens

    async def read(self, parameters: Parameters, now: float) -> AuthorizationRequest | GoTo:
        """The request, or the client's redirect URI with what is wrong with it.

        Raises:
            UnusableAuthorizationRequest: there is no address to tell it to. Unavailable: DynamoDB does not answer.
        """
        client_id = parameters.values.get("client_id", "")
        client = (await self.client(client_id, now)).client if may_be_client_id(client_id) else None
        back = return_address(parameters, client, self.access_tokens.issuer)
        try:
            return parse_request(parameters, back)
        except OAuthError as error:
            log.info("authorization_request_refused", error=error.error, client_id=client_id)
            return GoTo(back.error(error))

    async def client(self, client_id: str, now: float, *others: Target) -> KnownClient:
        """The client's row, of a second that no known revocation of it (or of the `others`) reaches."""
        up_to = self.access_tokens.revoked_up_to(Target("client", client_id), *others)
        issued_at = await self.access_tokens.second_after(up_to, now)
        return await self.clients.get(client_id, issued_at=issued_at, revoked_up_to=up_to, now=now)
