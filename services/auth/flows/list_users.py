"""All users, page by page, or the one of a name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.auth.domain.users import LONGEST_USERNAME, User, fold_username
from services.auth.stores.users import Users
from shared.cursors import cursor_of, parse_cursor

_NAME = re.compile(rf".{{1,{LONGEST_USERNAME}}}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ListUsers:
    """The users, and the cursor to go on with, None at the end. Raises ValidationFailed: the cursor. Unavailable."""

    users: Users

    async def __call__(
        self, *, most: int, raw_cursor: str | None, raw_username: str | None
    ) -> tuple[Sequence[User], str | None]:
        if raw_username is not None:
            username = fold_username(raw_username)
            user = await self.users.get(username) if len(username) <= LONGEST_USERNAME else None
            return [user] if user else [], None
        after = parse_cursor(raw_cursor, _NAME) if raw_cursor is not None else None
        found, last = await self.users.page(most=most, after=after)
        return found, cursor_of(last) if last is not None else None
