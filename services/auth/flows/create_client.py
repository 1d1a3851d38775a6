"""An administrator registers a client."""

from dataclasses import dataclass, replace

from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.client_secrets import new_client_secret
from services.auth.domain.clients import Client
from services.auth.domain.registration import Registration, register
from services.auth.stores.audit_trail import AuditTrail
from services.auth.stores.clients import Clients
from shared.clock import Clock
from shared.errors import Unavailable
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class CreatedClient:
    """`secret` is the only copy; None for a public client."""

    client: Client
    secret: str | None

    def __repr__(self) -> str:
        return f"CreatedClient(client_id={self.client.client_id!r})"


@dataclass(frozen=True, slots=True)
class CreateClient:
    """Raises ValidationFailed: it does not go together. Unavailable: DynamoDB does not answer."""

    clients: Clients
    audit: AuditTrail
    now: Clock

    async def __call__(self, caller: Caller, registration: Registration) -> CreatedClient:
        now = self.now()
        client, secret = register(registration, now), None
        if not client.is_public:
            secret, kept = new_client_secret(now)
            client = replace(client, secrets=(kept,))
        stored = await self.clients.save(client)
        if stored is None:
            raise Unavailable("Somebody changed the client before it was answered. Look at GET /api/clients.")
        details: Details = {"scope": sorted(stored.scope)}
        self.audit.record(AuditEvent.by(caller, "client-creation", subject=stored.client_id, details=details), now)
        return CreatedClient(stored, secret)
