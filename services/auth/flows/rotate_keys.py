"""An administrator has the next key sign."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.key_listing import ListedKey, list_ring
from services.auth.domain.key_problems import KeysNotManaged, TooManyKeysRetiring
from services.auth.domain.key_ring import KeyRing, NoNextKey, TooManyKeys
from services.auth.flows.ring_changes import RingChanges
from services.auth.stores.audit_trail import AuditTrail
from shared.clock import Clock
from shared.errors import Unavailable
from shared.tokens.claims import Caller

_TRIES = 5


@dataclass(frozen=True, slots=True)
class RotateKeys:
    """Of several rotations at once one is done, and all are answered with it.

    Raises:
        KeysNotManaged: the keys come from settings. TooManyKeysRetiring: first some must have retired.
        Unavailable: DynamoDB does not answer, or the next key is not made yet. Nothing was changed.
    """

    changes: RingChanges | None
    audit: AuditTrail
    now: Clock

    async def __call__(self, caller: Caller) -> tuple[ListedKey, ...]:
        """All keys. The next one signs from its `signs_from` on: now, or when it has been published for long enough."""
        if self.changes is None:
            raise KeysNotManaged
        ring = await self._rotated(self.changes)
        now = self.now()
        self.audit.record(AuditEvent.by(caller, "key-rotation", subject=ring.active(now).kid), now)
        return list_ring(ring, now, self.changes.timing)

    async def _rotated(self, changes: RingChanges) -> KeyRing:
        # As this instance saw it when it was asked: a rotation since then is the one that was asked for.
        signer = changes.followed.ring().active(self.now()).kid
        ring = await changes.followed.latest()
        for _ in range(_TRIES):
            changed = self._change(ring, changes) if ring.active(self.now()).kid == signer else ring
            if changed == ring:
                return ring
            stored = await changes.store(ring, changed)
            if stored is not None:
                return stored
            ring = await changes.followed.latest()
        raise Unavailable("Too many changes of the keys at once. Ask again.")

    def _change(self, ring: KeyRing, changes: RingChanges) -> KeyRing:
        try:
            return ring.rotated(self.now(), changes.timing)
        except NoNextKey:
            raise Unavailable("The next key is only being made. Ask again.", retry_after_seconds=2) from None
        except TooManyKeys:
            raise TooManyKeysRetiring from None
