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
from shared.tokens.revocation import Feed, Target
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
    """What was revoked, by lists, as known at this time of the monotonic clock; and what was made of it."""

    at: float
    places: Mapping[str, Iterable[int]]
    published: dict[str, Published] = field(default_factory=dict)


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
    _look: _Look = field(default_factory=lambda: _Look(-math.inf, {}))
    _one_at_once: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, unverified_list_id: str) -> Published:
        if not may_be_list_id(unverified_list_id):
            raise StatusListNotFound
        async with self._one_at_once:
            before = self._look.published
            if self.monotonic() - self._look.at >= self.freshness.look_seconds:
                await self._look_again()
            known = self._look.published.get(unverified_list_id)
            if known is None:
                known = await self._published(unverified_list_id, before.get(unverified_list_id))
                self._look.published[unverified_list_id] = known
            return known

    async def _look_again(self) -> None:
        at = self.monotonic()
        if self.feed.staleness(at) > self.freshness.feed_seconds:
            raise Unavailable("What was revoked lately can't be known now. Ask again.")
        self._look = _Look(at, await self.slots.by_list(self.now()))

    async def _published(self, list_id: str, before: Published | None) -> Published:
        listed = before.listed if before else await self.lists.get(list_id)
        if listed is None:
            raise StatusListNotFound
        places = self._look.places.get(list_id, ())
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
