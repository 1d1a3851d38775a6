"""Fills a Redis that has lost what was revoked."""

from dataclasses import dataclass

from services.auth.stores.announcer import Announcer
from services.auth.stores.revocations import Revocations
from shared.clock import Clock
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FillFeed:
    """Looks, and if need be fills Redis from the durable truth. Any number of instances may do it at once.

    Raises:
        Unavailable: DynamoDB or Redis does not answer.
    """

    revocations: Revocations
    announcer: Announcer
    now: Clock

    async def __call__(self) -> bool:
        """Whether there was something to do."""
        if await self.announcer.feed_is_whole():
            return False
        revocations = [revocation async for revocation in self.revocations.in_force(self.now())]
        await self.announcer.fill(revocations)
        log.warning("revocation_feed_filled", revocations=len(revocations))
        return True
