"""Looks at a user."""

from dataclasses import dataclass

from services.auth.domain.problems import UserNotFound
from services.auth.domain.user_changes import must_be_admin_or
from services.auth.domain.users import User, may_be_user_id
from services.auth.stores.users import Users
from shared.tokens.claims import Caller


@dataclass(frozen=True, slots=True)
class GetUser:
    """Raises UserNotFound: none, or another than the caller, who is no administrator. Unavailable."""

    users: Users

    async def __call__(self, caller: Caller, unverified_user_id: str) -> User:
        must_be_admin_or(unverified_user_id, caller)
        user = await self.users.by_id(unverified_user_id) if may_be_user_id(unverified_user_id) else None
        if user is None:
            raise UserNotFound
        return user
