"""The caller's sessions."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.auth.domain.sessions import Session
from services.auth.stores.sessions import MOST_LISTED, Sessions
from shared.clock import Clock
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class ListSessions:
    """Those that have not ended, the newest first, at most `MOST_LISTED`. Raises Unavailable."""

    sessions: Sessions
    now: Clock

    async def __call__(self, caller: Caller) -> Sequence[Session]:
        return await self.sessions.of_user(caller.user_id, self.now(), most=MOST_LISTED)
