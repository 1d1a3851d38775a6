"""Clients that were read a moment ago. A client's row is read at most once in some seconds, for each process."""

from collections import OrderedDict
from dataclasses import dataclass

from services.auth.domain.clients import Client
from services.auth.stores.clients import Clients

KEEP_SECONDS = 5
_MOST = 1000


@dataclass(frozen=True, slots=True)
class KnownClient:
    """`issued_at`: the `iat` that a token made of this row must have."""

    client: Client | None
    issued_at: int
    read_at: float


class RecentClients:
    """Why this keeps the promise of revocation: what is made of a remembered row is issued as of the row's second.

    Whoever changes a client (its secret, its scope, its end) and then revokes it by its id ends every token that was
    made of an older row, on whichever instance and however late. Without a revocation a change takes effect after
    `KEEP_SECONDS`. A client that was not found is not remembered.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._known: OrderedDict[str, KnownClient] = OrderedDict()

    async def get(self, client_id: str, *, issued_at: int, revoked_up_to: int, now: float) -> KnownClient:
        """The client. `issued_at` holds for a row that is read now.

        `revoked_up_to` is the last second of which its tokens are known to be revoked: an older row is read again.
        """
        known = self._known.get(client_id)
        if known is not None and revoked_up_to < known.issued_at and 0 <= now - known.read_at < KEEP_SECONDS:
            return known
        client = await self._clients.get(client_id)
        known = KnownClient(client, issued_at, now)
        if client is not None:
            self._remember(client_id, known)
        return known

    def _remember(self, client_id: str, known: KnownClient) -> None:
        self._known[client_id] = known
        self._known.move_to_end(client_id)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
