"""A user ends one of their API keys."""

from dataclasses import dataclass

from services.auth.domain.api_key_problems import ApiKeyNotFound
from services.auth.domain.api_keys import may_be_key_id
from services.auth.domain.audit import AuditEvent
from services.auth.flows.ending import Announced
from services.auth.flows.ending_api_keys import EndingApiKeys
from shared.clock import Clock
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class DeleteApiKey:
    """Doing it again is right when the first time was answered 503.

    Raises:
        ApiKeyNotFound: there is none of this id, or it is another user's.
        Unavailable: nothing was changed. NotAnnounced: it has ended, but not every verifier knows yet.
    """

    ending_api_keys: EndingApiKeys
    now: Clock

    async def __call__(self, caller: Caller, unverified_id: str) -> Announced:
        found = await self.ending_api_keys.api_keys.get(unverified_id) if may_be_key_id(unverified_id) else None
        if found is None or found.user_id != caller.user_id:
            raise ApiKeyNotFound
        why = AuditEvent.by(caller, "api-key-deletion", details={"key_id": found.key_id})
        return await self.ending_api_keys.end(found, why, self.now())
