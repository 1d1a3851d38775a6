"""A step that flows share: ending an API key and the tokens that it gave."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from services.auth.domain.api_keys import ApiKey
from services.auth.domain.audit import AuditEvent, Details
from services.auth.domain.problems import NotAnnounced
from services.auth.flows.at_once import at_once
from services.auth.flows.ending import Announced, Ending
from services.auth.stores.api_keys import ApiKeys
from shared.tokens.claims import Caller

_AT_ONCE = 8


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

    async def end_all_after(
        self,
        revoking: Awaitable[Announced],
        caller: Caller,
        user_id: str,
        now: float,
        made_up_to: int | None = None,
    ) -> Announced:
        """Every key of the user's, once the revocation is durable: who makes one meanwhile looks for that afterwards.

        `made_up_to`: of the keys, those that were made up to this second.
        """
        try:
            announced = await revoking
        except NotAnnounced:
            await self.end_all(caller, user_id, "user-revocation", now, made_up_to)
            raise
        await self.end_all(caller, user_id, "user-revocation", now, made_up_to)
        return announced

    async def end_all(
        self, caller: Caller, user_id: str, reason: str, now: float, made_up_to: int | None = None
    ) -> None:
        """Every key of the user's that the index shows; one that was made a moment ago may be missed."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def end(key: ApiKey) -> None:
            details: Details = {"key_id": key.key_id}
            why = AuditEvent.by(caller, "api-key-deletion", subject=user_id, reason=reason, details=details)
            async with gate:
                await self.end(key, why, now)

        keys = await self.api_keys.of_user(user_id, now)
        await at_once(*(end(key) for key in keys if made_up_to is None or key.created_at_ms // 1000 <= made_up_to))
