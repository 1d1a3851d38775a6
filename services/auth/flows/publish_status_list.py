"""A status list as third parties get it: signed, and made anew only when it would say something else or gets old."""

import asyncio
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.auth.domain.problems import StatusListNotFound
from services.auth.domain.status_lists import (
    TYPE,
    Freshness,
    StatusList,
    compressed,
    may_be_list_id,
    status_list_claims,
)
from services.auth.flows.issuing import AccessTokens
from services.auth.stores.revoked_slots import RevokedSlots
from services.auth.stores.status_lists import StatusLists
from shared.clock import Clock
from shared.errors import Unavailable
from shared.tokens.claims import LAST_SECOND
from shared.tokens.revocation import Target
from shared.tokens.revocation_status import Feed
from shared.tokens.signature import sign


@dataclass(frozen=True, slots=True)
class Published:
    """A signed list, as of `issued_at` (Unix seconds); published again while it says all that is known."""

    listed: StatusList
    token: str
    lst: str
    key_id: str
    issued_at: int


@dataclass(frozen=True, slots=True)
class _Look:
    """What was revoked, by lists, as known at this time of the monotonic clock; and what was made of it.

    `before` is what was made of the look before. Each list has a lock: who asks for one waits for no other.
    """

    at: float
    places: Mapping[str, Iterable[int]]
    before: Mapping[str, Published]
    published: dict[str, Published] = field(default_factory=dict)
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)


@dataclass(slots=True)
class PublishStatusList:
    """What it keeps it has published a moment ago; any instance publishes the same.

    Raises:
        StatusListNotFound: no token names it.
        Unavailable: what is revoked can't be known now. Better no list than one that says too little.
    """

    lists: StatusLists
    slots: RevokedSlots
    feed: Feed
    access_tokens: AccessTokens
    freshness: Freshness
    now: Clock
    monotonic: Clock
    _look: _Look = field(default_factory=lambda: _Look(-math.inf, {}, {}))
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, unverified_list_id: str) -> Published:
        if not may_be_list_id(unverified_list_id):
            raise StatusListNotFound
        look = await self._current_look()
        async with look.locks.setdefault(unverified_list_id, asyncio.Lock()):
            known = look.published.get(unverified_list_id)
            if known is None:
                known = look.published[unverified_list_id] = await self._published(unverified_list_id, look)
            return known

    async def _current_look(self) -> _Look:
        async with self._looking:
            at = self.monotonic()
            if at - self._look.at < self.freshness.look_seconds:
                return self._look
            if self.feed.staleness(at) > self.freshness.feed_seconds:
                raise Unavailable("What was revoked lately can't be known now. Ask again.")
            self._look = _Look(at, await self.slots.by_list(self.now()), before=self._look.published)
            return self._look

    async def _published(self, list_id: str, look: _Look) -> Published:
        before = look.before.get(list_id)
        listed = before.listed if before else await self.lists.get(list_id)
        if listed is None:
            raise StatusListNotFound
        places = look.places.get(list_id, ())
        lst = await asyncio.to_thread(compressed, listed, revoked_up_to=self._revoked_up_to(listed), revoked=places)
        key, now = self.access_tokens.keys.active, int(self.now())
        if (
            before
            and (before.lst, before.key_id) == (lst, key.kid)
            and now < before.issued_at + self.freshness.ttl_seconds
        ):
            return before
        claims = status_list_claims(self.access_tokens.issuer, list_id, lst, self.freshness, now)
        return Published(listed, sign({"typ": TYPE}, claims, key), lst, key.kid, now)

    def _revoked_up_to(self, listed: StatusList) -> int:
        """The last second of which all the list's tokens are revoked."""
        if self.feed.revoked.not_before(Target("key", listed.key_id)) >= 0:
            return LAST_SECOND
        targets = [Target("client", listed.client_id)]
        targets += [Target("user", listed.subject)] if listed.subject else []
        return self.access_tokens.revoked_up_to(*targets)
