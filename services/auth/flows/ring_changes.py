"""Steps that the flows of keys share: making a key, and changing the ring that all instances follow."""

import asyncio
import math
from dataclasses import dataclass

from services.auth.domain.key_ring import KeyRing, RingKey, RingTiming
from services.auth.stores.followed_ring import FollowedRing
from services.auth.stores.key_rings import KeyRings
from services.auth.stores.private_keys import PrivateKeys
from shared.clock import Clock
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.tokens.pem_keys import build_named_key, generate_pem
from shared.tokens.revocation import Revocation
from shared.tokens.signature import Algorithm

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RingChanges:
    """They raise Unavailable when DynamoDB or SSM does not answer."""

    followed: FollowedRing
    rings: KeyRings
    private_keys: PrivateKeys
    timing: RingTiming
    algorithm: Algorithm
    now: Clock
    monotonic: Clock

    async def make_key(self) -> RingKey:
        """A new key; its private part is stored, in the ring it is not yet."""
        pem = await asyncio.to_thread(generate_pem, self.algorithm)
        key = await asyncio.to_thread(build_named_key, pem, self.algorithm)
        await self.private_keys.add(key.kid, pem)
        self.followed.hold(key)
        published_at_ms = math.ceil(self.now() * 1000)
        return RingKey(key.kid, key.alg, key.public_jwk, published_at_ms, self.timing.token_seconds)

    async def discard(self, key: RingKey) -> None:
        """Throw away a key that did not come into the ring.

        A write that was answered too late may have been done all the same: the ring is asked.
        """
        ring = await self.followed.latest()
        if all(key.kid != known.kid for known in ring.keys):
            await self.private_keys.delete(key.kid)

    async def store(self, seen: KeyRing, changed: KeyRing, revocation: Revocation | None = None) -> KeyRing | None:
        """Store the change, with a revocation: both or neither. None: the ring is not as it was `seen` any more."""
        begun_at = self.monotonic()
        stored = await self.rings.replace(changed, revocation=revocation, now=self.now())
        if stored is None:
            return None
        self.followed.take(stored, begun_at)
        kept = {key.kid for key in stored.published()}
        for key in seen.published():
            if key.kid not in kept:
                await self._forget(key)
        return stored

    async def _forget(self, key: RingKey) -> None:
        try:
            await self.private_keys.delete(key.kid)
        except Unavailable:  # nobody trusts it any more; that it lies there harms nobody
            log.warning("private_key_not_deleted", kid=key.kid)
