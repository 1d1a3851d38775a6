"""An emergency: a key is trusted no more, nor anything that it signed."""

from dataclasses import dataclass

from services.auth.domain.audit import AuditEvent
from services.auth.domain.key_listing import ListedKey, list_ring
from services.auth.domain.key_problems import KeyNotFound, KeysNotManaged
from services.auth.domain.key_ring import KeyRing, NoNextKey, NoSuchKey
from services.auth.flows.ending import Announced, Ending
from services.auth.flows.ring_changes import RingChanges
from shared.clock import Clock
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.tokens.claims import Caller
from shared.tokens.revocation import Target

log = get_logger(__name__)
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Distrusted:
    """The revocation that every verifier was told, and the keys as they are now."""

    announced: Announced
    keys: tuple[ListedKey, ...]


@dataclass(frozen=True, slots=True)
class DistrustKey:
    """The ring and the revocation change together: both or neither. A key that is distrusted is announced again.

    Raises:
        KeysNotManaged: the keys come from settings. KeyNotFound: the ring has no such key.
        Unavailable: DynamoDB or SSM does not answer; nothing was changed.
        NotAnnounced: it is done, but not every verifier knows yet.
    """

    changes: RingChanges | None
    ending: Ending
    now: Clock

    async def __call__(self, caller: Caller, kid: str) -> Distrusted:
        if self.changes is None:
            raise KeysNotManaged
        why = AuditEvent.by(caller, "key-distrust", subject=kid)
        for _ in range(_TRIES):
            announced = await self._try(self.changes, kid, why)
            if announced is not None:
                keys = list_ring(self.changes.followed.ring(), self.now(), self.changes.timing)
                return Distrusted(announced, keys)
        raise Unavailable("Too many changes of the keys at once. Ask again.")

    async def _try(self, changes: RingChanges, kid: str, why: AuditEvent) -> Announced | None:
        """None: the ring has changed meanwhile."""
        seen, now = await changes.followed.latest(), self.now()
        revocation = self.ending.guard.of_target(Target("key", kid), now)
        try:
            changed = seen.distrusting(kid, now)
        except NoSuchKey:
            raise KeyNotFound from None
        except NoNextKey:
            await self._add_next(changes, seen)
            return None
        if changed == seen:
            return await self.ending.revoke(revocation, why, now)
        if await changes.store(seen, changed, revocation) is None:
            return None
        self.ending.audit.record(why, now)
        log.warning("key_distrusted", kid=kid, active=changed.active(now).kid)
        return Announced(revocation, await self.ending.announcer.announce(revocation))

    async def _add_next(self, changes: RingChanges, seen: KeyRing) -> None:
        made = await changes.make_key()
        if await changes.store(seen, seen.with_next(made)) is None:
            await changes.discard(made)
