"""How a processor and a worker know what was revoked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.processor.settings import ProcessorSettings
from shared import clock
from shared.clients.aws_types import DynamoDBClient
from shared.tokens.direct_reads import DirectReads
from shared.tokens.revocation import Target
from shared.tokens.revocation_feed import RevocationFeed
from shared.tokens.revocation_keys import TABLE
from shared.tokens.revocation_status import RevocationStatus
from shared.web.health import ReadinessCheck


@dataclass(frozen=True, slots=True)
class Revocations:
    """`status` answers, by what the `feed` has heard, else by `direct` reads."""

    feed: RevocationFeed
    direct: DirectReads
    status: RevocationStatus
    max_staleness_seconds: float

    def readiness(self) -> ReadinessCheck:
        """Whether revocations are heard of, or can be read."""
        return ReadinessCheck("revocations", self._check)

    async def _check(self) -> str:
        staleness = self.feed.staleness(clock.monotonic())
        if staleness <= self.max_staleness_seconds:
            return f"heard of {staleness:.1f} s ago"
        await self.direct.read([Target("jti", "readiness")])
        return "not heard of, read directly"


@asynccontextmanager
async def open_revocations(settings: ProcessorSettings, dynamodb: DynamoDBClient) -> AsyncIterator[Revocations]:
    """Follows the revocations in the background; does not wait for them."""
    feed = RevocationFeed(settings.redis_url)
    direct = DirectReads(
        dynamodb, settings.table_prefix + TABLE, timeout_seconds=settings.revocation_read_timeout_seconds
    )
    bound = settings.revocation_max_staleness_seconds
    feed.start()
    try:
        yield Revocations(feed, direct, RevocationStatus(feed, direct, max_staleness_seconds=bound), bound)
    finally:
        await direct.stop()
        await feed.stop()
