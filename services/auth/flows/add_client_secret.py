"""An administrator gives a client a new secret."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.client_secrets import new_client_secret, with_secret
from services.auth.domain.clients import Client, ClientSecret
from services.auth.flows.changing_client import ChangingClient
from services.auth.stores.audit_trail import AuditTrail
from shared.clock import Clock
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class AddedSecret:
    """`secret` is the only copy; `kept` is what is stored of it, and `client` has it."""

    client: Client
    kept: ClientSecret
    secret: str

    def __repr__(self) -> str:
        return f"AddedSecret(client_id={self.client.client_id!r}, secret_id={self.kept.secret_id!r})"


@dataclass(frozen=True, slots=True)
class AddClientSecret:
    """Raises ClientNotFound, ClientIsPublic, TooManyClientSecrets, ClientChangedMeanwhile.

    Unavailable: DynamoDB does not answer.
    """

    changing: ChangingClient
    audit: AuditTrail
    now: Clock

    async def __call__(self, caller: Caller, unverified_id: str, overlap_seconds: int) -> AddedSecret:
        """The secrets that it had stay good for `overlap_seconds`."""
        now = self.now()
        secret, kept = new_client_secret(now)
        client = await self.changing.change(
            unverified_id, lambda client: with_secret(client, kept, overlap_seconds, now)
        )
        details: Details = {"secret_id": kept.secret_id, "overlap_seconds": overlap_seconds}
        event = AuditEvent.by(caller, "client-secret-creation", subject=client.client_id, details=details)
        self.audit.record(event, now)
        return AddedSecret(client, kept, secret)
