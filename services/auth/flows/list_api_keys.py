"""The caller's API keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.auth.domain.api_keys import ApiKey
from services.auth.stores.api_keys import ApiKeys
from shared.clock import Clock
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class ListApiKeys:
    """Raises Unavailable: DynamoDB does not answer."""

    api_keys: ApiKeys
    now: Clock

    async def __call__(self, caller: Caller) -> Sequence[ApiKey]:
        """Those that are good, the newest first; a new one may be missing for a moment."""
        return await self.api_keys.of_user(caller.user_id, self.now())
