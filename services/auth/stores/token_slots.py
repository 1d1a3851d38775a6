"""Slots for the tokens that this process issues: its own lanes of each list, and how far each second is filled."""

import asyncio
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import TypeAlias

from services.auth.domain.status_lists import LANES, SLOTS_IN_SECOND, WINDOW_SECONDS, Slot, StatusList
from services.auth.stores.status_lists import StatusLists

_MOST_RUNS = 4096
_Owner: TypeAlias = tuple[str, str, str | None, int]


@dataclass(slots=True)
class _Run:
    """The lanes that this process has taken for tokens of one client, key, subject and window."""

    listed: StatusList
    lanes: list[tuple[str, int]] = field(default_factory=list)
    taken: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class TokenSlots:
    """Waits for DynamoDB once in a window for each client, and when a second has more tokens than its lanes hold.

    What this process forgets at its end is slots that nobody else will use: nothing is lost but room.
    """

    def __init__(self, lists: StatusLists) -> None:
        self._lists = lists
        self._runs: OrderedDict[_Owner, _Run] = OrderedDict()

    async def take(self, client_id: str, key_id: str, subject: str | None, issued_at: int) -> Slot:
        """A slot of a token with this `iat`, signed by this key.

        Raises:
            Unavailable: a lane is needed, and DynamoDB does not answer.
        """
        run = self._run((client_id, key_id, subject, issued_at // WINDOW_SECONDS))
        second = issued_at % WINDOW_SECONDS
        place, number = divmod(run.taken[second], SLOTS_IN_SECOND)
        run.taken[second] += 1
        while place >= len(run.lanes):
            await self._extend(run, place)
        list_id, lane = run.lanes[place]
        return Slot.of(list_id, lane, issued_at, number)

    def _run(self, owner: _Owner) -> _Run:
        run = self._runs.get(owner)
        if run is None:
            run = self._runs[owner] = _Run(StatusList(*owner))
            if len(self._runs) > _MOST_RUNS:
                self._runs.popitem(last=False)
        else:
            self._runs.move_to_end(owner)
        return run

    async def _extend(self, run: _Run, place: int) -> None:
        """One more lane, unless somebody who waited before us has seen to it."""
        async with run.lock:
            if place < len(run.lanes):
                return
            lane = await self._lists.take_lane(run.listed)
            if lane < LANES:
                run.lanes.append((run.listed.list_id, lane))
            else:
                run.listed = run.listed.following()
