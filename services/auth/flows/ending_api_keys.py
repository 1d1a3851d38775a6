"""A step that flows share: ending an API key and the tokens that it gave."""

from dataclasses import dataclass

from services.auth.domain.api_keys import ApiKey
from services.auth.domain.audit import AuditEvent
from services.auth.flows.ending import Announced, Ending
from services.auth.stores.api_keys import ApiKeys


@dataclass(frozen=True, slots=True)
class EndingApiKeys:
    """Raises Unavailable (nothing was changed) or NotAnnounced (durable, but not every verifier knows)."""

    api_keys: ApiKeys
    ending: Ending

    async def end(self, key: ApiKey, why: AuditEvent, now: float) -> Announced:
        """One that has ended already is announced again."""
        revocation = self.ending.guard.of_api_key(key.key_id, now)
        if key.ended_at_ms is None:
            await self.api_keys.end(key, revocation, now)
            self.ending.audit.record(why, now)
        return Announced(revocation, await self.ending.announcer.announce(revocation))
