"""Looks after the key ring: there is a next key, rotations come when they are due, and what has had its time goes."""

from dataclasses import dataclass

from services.auth.flows.ring_changes import RingChanges
from shared.clock import Clock
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeepKeys:
    """Every instance does it, as often as it looks at the ring; of several that change the same, one does.

    Raises:
        Unavailable: DynamoDB or SSM does not answer. The active key signs on.
    """

    changes: RingChanges
    now: Clock

    async def __call__(self) -> bool:
        """Whether the ring was changed."""
        seen = self.changes.followed.ring()
        made = await self.changes.make_key() if seen.next(self.now()) is None else None
        now, changed = self.now(), seen if made is None else seen.with_next(made)
        for kid in self.changes.followed.revoked_kids(seen):
            changed = changed.distrusting(kid, now)
        changed = changed.kept(now, self.changes.timing)
        if changed == seen:
            return False
        stored = await self.changes.store(seen, changed)
        if stored is None and made is not None:
            await self.changes.discard(made)
        if stored is not None:
            log.info("key_ring_kept", version=stored.version, active=stored.active(now).kid, made=made and made.kid)
        return stored is not None
