"""An administrator changes what a client is registered for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.clients import Client
from services.auth.domain.registration import changed
from services.auth.flows.changing_client import ChangingClient
from services.auth.stores.audit_trail import AuditTrail
from shared.clock import Clock
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class ChangeClient:
    """What is issued from now on follows it (an instance that has just read the client: some seconds later).

    Raises:
        ClientNotFound. ValidationFailed: it does not go together. ClientChangedMeanwhile: others were faster.
        Unavailable: DynamoDB does not answer.
    """

    changing: ChangingClient
    audit: AuditTrail
    now: Clock

    async def __call__(self, caller: Caller, unverified_id: str, members: Mapping[str, Any]) -> Client:
        """`members`: those of a `Registration` that change."""
        client = await self.changing.change(unverified_id, lambda client: changed(client, members))
        details: Details = {"changed": sorted(members)}
        event = AuditEvent.by(caller, "client-change", subject=client.client_id, details=details)
        self.audit.record(event, self.now())
        return client
