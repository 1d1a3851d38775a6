"""Registers a client that the settings state, as they state it."""

from dataclasses import dataclass

from services.auth.domain.client_problems import ClientChangedMeanwhile
from services.auth.domain.clients import Client
from services.auth.domain.registration import as_stated
from services.auth.stores.clients import Clients

_TRIES = 5


@dataclass(frozen=True, slots=True)
class EnsureClient:
    """Any number may do it at once, and doing it again changes nothing.

    Raises:
        ClientChangedMeanwhile: others go on changing it. Unavailable: DynamoDB does not answer.
    """

    clients: Clients

    async def __call__(self, stated: Client) -> None:
        for _ in range(_TRIES):
            known = await self.clients.get(stated.client_id)
            wanted = stated if known is None else as_stated(known, stated)
            if wanted == known or await self.clients.save(wanted) is not None:
                return
        raise ClientChangedMeanwhile
