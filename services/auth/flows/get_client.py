"""An administrator looks at one client."""

from dataclasses import dataclass

from services.auth.domain.clients import Client
from services.auth.flows.changing_client import ChangingClient


@dataclass(frozen=True, slots=True)
class GetClient:
    """Raises ClientNotFound. Unavailable: DynamoDB does not answer."""

    changing: ChangingClient

    async def __call__(self, unverified_id: str) -> Client:
        return await self.changing.found(unverified_id)
