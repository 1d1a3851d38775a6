"""How a processor knows its callers. A worker asks nobody who they are, and does not import this."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from services.processor.settings import ProcessorSettings
from shared import clock
from shared.clients.aws_types import DynamoDBClient
from shared.clients.http import open_http
from shared.tokens.claims import VerificationPolicy
from shared.tokens.direct_reads import DirectReads
from shared.tokens.jwks_key_source import JwksKeySource
from shared.tokens.keyset import KeySet
from shared.tokens.revocation import RevocationStatus, RevokedSet, Target
from shared.tokens.revocation_feed import RevocationFeed
from shared.tokens.revocation_keys import TABLE as REVOCATIONS_TABLE
from shared.tokens.verifier import Verifier
from shared.web.health import ReadinessCheck


@dataclass(frozen=True, slots=True)
class Trust:
    """How callers are known: auth's keys, and what was revoked."""

    verifier: Verifier
    keys: JwksKeySource
    feed: RevocationFeed
    direct: DirectReads
    max_staleness_seconds: float

    def checks(self) -> tuple[ReadinessCheck, ...]:
        """Whether a caller can be known: keys that may be believed; revocations heard of, or read directly."""

        async def keys() -> str:
            self.keys.current()
            return f"{self.keys.age():.0f} s old"

        async def revocations() -> str:
            staleness = self.feed.staleness(clock.monotonic())
            if staleness <= self.max_staleness_seconds:
                return f"heard of {staleness:.1f} s ago"
            await self.direct.read([Target("jti", "readiness")])
            return "not heard of, read directly"

        return ReadinessCheck("keys", keys), ReadinessCheck("revocations", revocations)


@asynccontextmanager
async def open_trust(settings: ProcessorSettings, dynamodb: DynamoDBClient) -> AsyncIterator[Trust]:
    """Follows auth's keys and revocations in the background; does not wait for them."""
    async with open_http() as http:
        feed = RevocationFeed(settings.redis_url)
        keys = JwksKeySource(http, settings.effective_jwks_url, is_outdated=partial(_names_revoked_key, feed.revoked))
        direct = DirectReads(
            dynamodb,
            settings.table_prefix + REVOCATIONS_TABLE,
            timeout_seconds=settings.revocation_read_timeout_seconds,
        )
        bound = settings.revocation_max_staleness_seconds
        status = RevocationStatus(feed, direct, max_staleness_seconds=bound)
        policy = VerificationPolicy(settings.issuer, settings.audience, settings.clock_skew_seconds)
        keys.start()
        feed.start()
        try:
            yield Trust(Verifier(keys, status, policy), keys, feed, direct, bound)
        finally:
            await direct.stop()
            await feed.stop()
            await keys.stop()


def _names_revoked_key(revoked: RevokedSet, key_set: KeySet) -> bool:
    """Whether it was published before one of its keys was revoked: by now another key signs."""
    return any(revoked.not_before(Target("key", kid)) >= 0 for kid in key_set.kids())
