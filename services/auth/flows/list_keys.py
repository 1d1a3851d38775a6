"""Which keys there are, and what they do."""

from dataclasses import dataclass

from services.auth.domain.key_listing import ListedKey, list_ring
from services.auth.flows.ring_changes import RingChanges
from services.auth.signing_keys import SigningKeys
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class ListKeys:
    """Raises Unavailable: the ring can't be read."""

    changes: RingChanges | None
    keys: SigningKeys
    now: Clock

    async def __call__(self) -> tuple[ListedKey, ...]:
        if self.changes is not None:
            return list_ring(await self.changes.followed.latest(), self.now(), self.changes.timing)
        active = self.keys.active.kid
        return tuple(
            ListedKey(key["kid"], key["alg"], "active" if key["kid"] == active else "published")
            for key in self.keys.jwks["keys"]
        )
