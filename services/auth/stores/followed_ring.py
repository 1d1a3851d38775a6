"""The key ring as this process sees it: read again and again, its keys prepared, so that signing waits for nothing."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from prometheus_client import Counter, Gauge

from services.auth.domain.key_ring import KeyRing, NoNextKey, RingKey, RingTiming
from services.auth.signing_keys import Jwks
from services.auth.stores.key_rings import KeyRings
from services.auth.stores.private_keys import PrivateKeys
from shared import clock
from shared.background import end
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.tokens.keyset import KeySet
from shared.tokens.pem_keys import build_named_key
from shared.tokens.revocation import RevokedSet, Target
from shared.tokens.signature import SigningKey, UnusableKey

AGE = Gauge("mayfly_key_ring_age_seconds", "Time since this auth last read the key ring.")
CHANGES = Counter("mayfly_key_ring_changes_total", "Changes of the key ring that this auth has seen.")

READ_TIMEOUT_SECONDS = 2
SPACING_SECONDS = 0.2
"""However many ask for keys that nobody knows, the ring is read no more often than this."""

log = get_logger(__name__)


class _Chosen(NamedTuple):
    """Who signs, as long as nothing new is heard: Unix seconds."""

    key: SigningKey
    since: float
    until: float


class FollowedRing:
    """`SigningKeys` out of a ring that all instances share. `start` it, `stop` it before its clients are closed.

    `others` are public JWKs that are published besides. `revoked` is what this process has heard of revocations: a key
    that was revoked signs nothing here, even before the ring says so.
    """

    def __init__(
        self,
        rings: KeyRings,
        private_keys: PrivateKeys,
        revoked: RevokedSet,
        timing: RingTiming,
        *,
        poll_seconds: float,
        others: Sequence[Mapping[str, str]] = (),
        now: clock.Clock = clock.now,
        monotonic: clock.Clock = clock.monotonic,
    ) -> None:
        self._rings = rings
        self._private_keys = private_keys
        self._revoked = revoked
        self._timing = timing
        self._poll_seconds = poll_seconds
        self._others = others
        self._now = now
        self._monotonic = monotonic
        self._ring: KeyRing | None = None
        self._jwks: Jwks = {"keys": []}
        self._key_set: KeySet | None = None
        self._read_at = -math.inf
        self._read_begun_at = -math.inf
        self._next_read: asyncio.Task[None] | None = None
        self._reads: set[asyncio.Task[None]] = set()
        self._seen_at = -math.inf
        self._failure = ""
        self._prepared: dict[str, SigningKey] = {}
        self._chosen: _Chosen | None = None
        self._preparing: dict[str, asyncio.Task[None]] = {}
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow the ring. Until it was read, nothing can be signed or verified."""
        AGE.set_function(self.age)
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        if self._following is not None:
            await end(self._following)
        await end(*self._reads, *self._preparing.values())

    def age(self) -> float:
        """Seconds since the ring was read; infinite before the first time."""
        return self._monotonic() - self._read_at

    def ring(self) -> KeyRing:
        """The ring as it was read last. Raises Unavailable: never, or too long ago to act upon."""
        if self._ring is None or self.age() > self._timing.view_seconds:
            raise _unavailable()
        return self._ring

    def revoked_kids(self, ring: KeyRing) -> list[str]:
        """Keys of the ring that were revoked by name, while the ring still trusts them."""
        return [key.kid for key in ring.published() if self._is_revoked(key.kid)]

    @property
    def active(self) -> SigningKey:
        ring, now = self.ring(), self._now()
        chosen = self._chosen
        if chosen is None or not chosen.since <= now < chosen.until or self._is_revoked(chosen.key.kid):
            self._chosen = chosen = self._choose(ring, now)
        return chosen.key

    async def signer(self) -> SigningKey:
        try:
            return self.active
        except Unavailable:
            await self.latest()
            if self._preparing:
                await asyncio.wait(self._preparing.values(), timeout=READ_TIMEOUT_SECONDS)
            return self.active

    @property
    def jwks(self) -> Jwks:
        self.current()
        return self._jwks

    def current(self) -> KeySet:
        if self._key_set is None:
            raise _unavailable()
        return self._key_set

    async def look_for(self, kid: str) -> KeySet:
        """Reads the ring: another instance may have changed it a moment ago. All who ask meanwhile share the reads."""
        log.info("unknown_kid_looked_for", kid=kid)
        await self.latest()
        return self.current()

    async def latest(self) -> KeyRing:
        """The ring as it stands now: by a read that was begun after this call. Raises Unavailable: that failed."""
        asked_at = self._monotonic()
        await self._read_anew()
        if self._read_at < asked_at:
            raise _unavailable()
        return self.ring()

    def take(self, ring: KeyRing, read_at: float) -> None:
        """See this ring from now on, unless a later one is seen already.

        `read_at` (monotonic): all changes before it are in it.
        """
        known = self._ring
        self._read_at = max(self._read_at, read_at)
        if known is not None and ring.version < known.version:
            return
        if known is None or ring.version > known.version:
            self._see(ring)
        for key in self._needed(ring):
            if key.kid not in self._prepared and key.kid not in self._preparing:
                self._preparing[key.kid] = asyncio.create_task(self._prepare(key))

    def hold(self, key: SigningKey) -> None:
        """Have a key ready to sign."""
        self._prepared[key.kid] = key
        self._chosen = None

    def _is_revoked(self, kid: str) -> bool:
        return self._revoked.not_before(Target("key", kid)) >= 0

    def _choose(self, ring: KeyRing, now: float) -> "_Chosen":
        for kid in self.revoked_kids(ring):
            try:
                ring = ring.distrusting(kid, now)
            except NoNextKey:
                raise _unavailable() from None
        for key in ring.signers(now, self._timing.view_seconds):
            if prepared := self._prepared.get(key.kid):
                return _Chosen(prepared, now, ring.changes_at(now, self._timing.view_seconds))
        raise _unavailable()

    def _see(self, ring: KeyRing) -> None:
        now = self._now()
        self._seen_at = self._monotonic()
        in_ring = {key.kid: dict(key.public_jwk) for key in ring.published()}
        jwks = {"keys": [*in_ring.values(), *(dict(other) for other in self._others if other["kid"] not in in_ring)]}
        self._key_set, self._jwks, self._ring, self._chosen = KeySet.parse(jwks), jwks, ring, None
        self._prepared = {kid: key for kid, key in self._prepared.items() if kid in in_ring}
        CHANGES.inc()
        log.info("key_ring_seen", version=ring.version, keys={key.kid: ring.state(key, now) for key in ring.keys})

    def _needed(self, ring: KeyRing) -> list[RingKey]:
        """The keys that may sign here, now or later."""
        now = self._now()
        following = ring.next(now)
        signers = ring.signers(now, self._timing.view_seconds)
        return [*signers, following] if following else [*signers]

    async def _read_anew(self) -> None:
        if self._next_read is None:
            self._next_read = asyncio.create_task(self._read_soon())
            self._reads.add(self._next_read)
            self._next_read.add_done_callback(self._reads.discard)
        await asyncio.shield(self._next_read)

    async def _follow(self) -> None:
        while True:
            await self._read_anew()
            await asyncio.sleep(self._poll_seconds)

    async def _read_soon(self) -> None:
        await asyncio.sleep(max(0.0, self._read_begun_at + SPACING_SECONDS - self._monotonic()))
        self._next_read = None  # who asks from now on needs a later one
        self._read_begun_at = begun_at = self._monotonic()
        try:
            async with asyncio.timeout(READ_TIMEOUT_SECONDS):
                ring = await self._rings.load()
            if ring is None:
                self._tell("there is none: python -m services.auth.bootstrap makes one")
            elif self._ring is not None and ring.version < self._ring.version and begun_at > self._seen_at:
                self._tell("it went back, as if restored: restart to believe it")
            else:
                self.take(ring, begun_at)
                self._tell("")
        except Exception as error:  # noqa: BLE001 - whatever it is, the ring that is known serves on, and ages
            self._tell(repr(error))

    def _tell(self, failure: str) -> None:
        """Log a change only: in an outage every read fails."""
        if failure and failure != self._failure:
            log.error("key_ring_not_read", error=failure, age=round(self.age(), 1))
        elif self._failure and not failure:
            log.info("key_ring_read_again")
        self._failure = failure

    async def _prepare(self, key: RingKey) -> None:
        """Without it the key before it signs a little longer; tried again with the next read."""
        try:
            pem = await self._private_keys.get(key.kid)
            if pem is None:
                log.error("private_key_missing", kid=key.kid)
                return
            prepared = await asyncio.to_thread(build_named_key, pem, key.alg)
            if prepared.kid == key.kid:
                self.hold(prepared)
            else:
                log.error("private_key_is_another", kid=key.kid)
        except (Unavailable, UnusableKey) as error:
            log.warning("private_key_not_prepared", kid=key.kid, error=str(error))
        finally:
            del self._preparing[key.kid]


def _unavailable() -> Unavailable:
    return Unavailable("The signing keys can't be read now. Ask again.")
