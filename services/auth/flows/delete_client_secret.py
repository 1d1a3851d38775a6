"""An administrator ends one secret of a client."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.client_secrets import without_secret
from services.auth.flows.changing_client import ChangingClient
from services.auth.stores.audit_trail import AuditTrail
from shared.clock import Clock
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class DeleteClientSecret:
    """Raises ClientNotFound, ClientSecretNotFound, ClientChangedMeanwhile. Unavailable: DynamoDB does not answer."""

    changing: ChangingClient
    audit: AuditTrail
    now: Clock

    async def __call__(self, caller: Caller, unverified_id: str, secret_id: str) -> None:
        client = await self.changing.change(unverified_id, lambda client: without_secret(client, secret_id))
        details: Details = {"secret_id": secret_id}
        event = AuditEvent.by(caller, "client-secret-deletion", subject=client.client_id, details=details)
        self.audit.record(event, self.now())
