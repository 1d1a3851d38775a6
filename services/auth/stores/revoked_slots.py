"""Which places of which status lists stand for tokens that were revoked one by one, with their session or their user.

What is revoked by client, by key or altogether needs no places: those are stretches of a list.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from services.auth.domain.status_lists import Slot
from services.auth.stores.session_tokens import SessionTokens
from shared.tokens.claims import MAX_LIFETIME_SECONDS
from shared.tokens.revocation import RevokedSet, Target

_Places: TypeAlias = Mapping[str, Iterable[int]]
_SETTLED_SECONDS = 60
"""So long after a user's revocation an index may not show all sessions yet, and a refresh may be under way."""

_AT_ONCE = 16
_WITHOUT_PAUSE = 1000  # some milliseconds


@dataclass(slots=True)
class RevokedSlots:
    """Reads the rows of each ended session once, and of each revoked user until nothing can be added.

    What it remembers is what it has read: another process reads the same.
    """

    revoked: RevokedSet
    session_tokens: SessionTokens
    _of_sessions: dict[str, Sequence[str]] = field(default_factory=dict)
    _of_users: dict[tuple[str, int], Iterable[str]] = field(default_factory=dict)

    async def by_list(self, now: float) -> _Places:
        """The places, by the lists' ids, of all that this process has heard when it is asked.

        Raises:
            Unavailable: DynamoDB does not answer.
        """
        token_ids = self.revoked.values("jti")
        await asyncio.gather(self._read_sessions(), self._read_users(now))
        places: defaultdict[str, list[int]] = defaultdict(list)
        found = chain(token_ids, *self._of_sessions.values(), *self._of_users.values())
        for number, slot in enumerate(map(Slot.of_token, found)):
            if slot is not None:
                places[slot.list_id].append(slot.index)
            if number % _WITHOUT_PAUSE == 0:
                await asyncio.sleep(0)
        return places

    async def _read_sessions(self) -> None:
        revoked = self.revoked.values("sid")
        for forgotten in self._of_sessions.keys() - set(revoked):
            del self._of_sessions[forgotten]
        unread = [session_id for session_id in revoked if session_id not in self._of_sessions]
        # A session's row names no more tokens once its revocation is known: both were written in one transaction.
        self._of_sessions |= await self.session_tokens.of_sessions(unread)

    async def _read_users(self, now: float) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)
        targets = [Target("user", user_id) for user_id in self.revoked.values("user")]
        ends = {(target.value, self.revoked.not_before(target)) for target in targets}
        living = {(user_id, up_to) for user_id, up_to in ends if up_to > now - MAX_LIFETIME_SECONDS}
        for forgotten in self._of_users.keys() - living:
            del self._of_users[forgotten]

        async def read(user_id: str, up_to: int) -> None:
            async with gate:
                found = await self.session_tokens.of_user(user_id, now)
            slots = filter(None, map(Slot.of_token, found))
            self._of_users[user_id, up_to] = [slot.token_id for slot in slots if slot.issued_at <= up_to]

        unsettled = [end for end in living if end not in self._of_users or now < end[1] + _SETTLED_SECONDS]
        await asyncio.gather(*(read(*end) for end in unsettled))
