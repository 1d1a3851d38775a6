"""An administrator looks at the clients."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.auth.domain.clients import CLIENT_ID, Client
from services.auth.stores.clients import Clients
from shared.cursors import cursor_of, parse_cursor


@dataclass(frozen=True, slots=True)
class ListClients:
    """Raises ValidationFailed: the cursor is none of ours. Unavailable: DynamoDB does not answer."""

    clients: Clients

    async def __call__(self, *, most: int, raw_cursor: str | None) -> tuple[Sequence[Client], str | None]:
        """A page, and the cursor to the next one, if there is one."""
        after = parse_cursor(raw_cursor, CLIENT_ID) if raw_cursor is not None else None
        clients, last = await self.clients.page(most=most, after=after)
        return clients, cursor_of(last) if last is not None else None
