"""A step that the flows share which change a client: read, decide, write if nobody else did meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass

from services.auth.domain.client_problems import ClientChangedMeanwhile, ClientNotFound
from services.auth.domain.clients import Client, may_be_client_id
from services.auth.stores.clients import Clients

_TRIES = 5


@dataclass(frozen=True, slots=True)
class ChangingClient:
    clients: Clients

    async def found(self, unverified_id: str) -> Client:
        """Raises ClientNotFound."""
        client = await self.clients.get(unverified_id) if may_be_client_id(unverified_id) else None
        if client is None:
            raise ClientNotFound
        return client

    async def change(self, unverified_id: str, change: Callable[[Client], Client]) -> Client:
        """The client as it is stored after `change`, which is decided again when another request was faster.

        Raises:
            ClientNotFound, ClientChangedMeanwhile; and what `change` raises.
        """
        for _ in range(_TRIES):
            stored = await self.clients.save(change(await self.found(unverified_id)))
            if stored is not None:
                return stored
        raise ClientChangedMeanwhile
