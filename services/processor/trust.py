"""How a processor knows its callers: auth's keys, and what was revoked. A worker has their jobs' contexts instead."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from services.processor.revocations import Revocations, open_revocations
from services.processor.settings import ProcessorSettings
from shared.clients.aws_types import DynamoDBClient
from shared.clients.http import open_http
from shared.tokens.claims import VerificationPolicy
from shared.tokens.jwks_key_source import JwksKeySource
from shared.tokens.keyset import KeySet
from shared.tokens.revocation import RevokedSet, Target
from shared.tokens.verifier import Verifier
from shared.web.health import ReadinessCheck


@dataclass(frozen=True, slots=True)
class Trust:
    verifier: Verifier
    keys: JwksKeySource
    revocations: Revocations

    def checks(self) -> tuple[ReadinessCheck, ...]:
        """Whether a caller can be known: keys that may be believed; revocations heard of, or read directly."""

        async def keys() -> str:
            self.keys.current()
            return f"{self.keys.age():.0f} s old"

        return ReadinessCheck("keys", keys), self.revocations.readiness()


@asynccontextmanager
async def open_trust(settings: ProcessorSettings, dynamodb: DynamoDBClient) -> AsyncIterator[Trust]:
    """Follows auth's keys and revocations in the background; does not wait for them."""
    async with open_http() as http, open_revocations(settings, dynamodb) as revocations:
        is_outdated = partial(_names_revoked_key, revocations.feed.revoked)
        keys = JwksKeySource(http, settings.effective_jwks_url, is_outdated=is_outdated)
        policy = VerificationPolicy(settings.issuer, settings.audience, settings.clock_skew_seconds)
        keys.start()
        try:
            yield Trust(Verifier(keys, revocations.status, policy), keys, revocations)
        finally:
            await keys.stop()


def _names_revoked_key(revoked: RevokedSet, key_set: KeySet) -> bool:
    """Whether it was published before one of its keys was revoked: by now another key signs."""
    return any(revoked.not_before(Target("key", kid)) >= 0 for kid in key_set.kids())
