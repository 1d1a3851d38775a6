"""An administrator ends a client and all that it was given."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.registration import disabled
from services.auth.flows.changing_client import ChangingClient
from services.auth.flows.ending import Announced, Ending
from shared.clock import Clock
from shared.tokens.claims import Caller
from shared.tokens.revocation import Target


@dataclass(frozen=True, slots=True)
class DeleteClient:
    """First nobody can be the client any more, then what it has is revoked, then it goes.

    In this order a token that an instance makes of a remembered row is revoked too (see `RecentClients`), and whoever
    is answered 503 finds the client still there, and deletes it again.

    Raises:
        ClientNotFound. ClientChangedMeanwhile: others were faster.
        Unavailable: not all is done; delete it again. NotAnnounced: so too, for not every verifier knows yet.
    """

    changing: ChangingClient
    ending: Ending
    now: Clock

    async def __call__(self, caller: Caller, unverified_id: str) -> Announced:
        client = await self.changing.change(unverified_id, disabled)
        now = self.now()
        revocation = self.ending.guard.of_target(Target("client", client.client_id), now)
        announced = await self.ending.revoke(
            revocation, AuditEvent.by(caller, "client-deletion", subject=client.client_id), now
        )
        await self.changing.clients.delete(client.client_id)
        return announced
