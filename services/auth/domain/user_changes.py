"""What may be changed about a user, by whom, and which changes end what is out."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from services.auth.domain.password_policy import flaws
from services.auth.domain.problems import AdminNeeded, UserNotFound
from services.auth.domain.users import ADMIN_SCOPE, User
from shared.errors import FieldError, ValidationFailed
from shared.tokens.claims import Caller

OWN_FIELDS = frozenset({"display_name"})
"""What users may change about themselves, beside the password, which has a route of its own."""


@dataclass(frozen=True, slots=True)
class UserChange:
    """`given` names the fields that are to change; the others mean nothing."""

    given: frozenset[str]
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    disabled: bool = False
    password: str = field(default="", repr=False)
    display_name: str | None = None

    def applied(self, user: User, password_hash: str | None, now: float) -> User:
        """The user after it. `password_hash` is that of the password, where one is given."""
        names = self.given - {"password"}
        changed = replace(user, **{name: getattr(self, name) for name in names}, changed_at_ms=int(now * 1000))
        return changed if password_hash is None else changed.with_password(password_hash, now, kept_session=None)

    def ends_all(self, before: User, after: User) -> bool:
        """Whether the user's sessions and tokens must end: they say more than is true now, or are somebody else's.

        Roles or permissions that are given and add nothing end them too: whoever repeats a change because the first
        answer was a 503 must be able to rely on that.
        """
        only_adds = after.may > before.may
        narrows = not self.given.isdisjoint({"roles", "permissions"}) and not only_adds
        return narrows or "password" in self.given or ("disabled" in self.given and self.disabled)


def must_be_admin_or(user_id: str, caller: Caller) -> None:
    """Decided before anything is looked up: whether there is such a user is told to nobody. Raises UserNotFound."""
    if ADMIN_SCOPE not in caller.scope and caller.user_id != user_id:
        raise UserNotFound


def must_be_admin_for(given: Collection[str], caller: Caller) -> None:
    """Raises AdminNeeded: one of these fields is not for users themselves."""
    forbidden = sorted(set(given) - OWN_FIELDS)
    if forbidden and ADMIN_SCOPE not in caller.scope:
        raise AdminNeeded(
            f"/{forbidden[0]}: only an administrator changes this.",
            errors=[FieldError(f"/{name}", "only an administrator changes this") for name in forbidden],
        )


def check_new_password(raw_password: str, username: str, pointer: str) -> None:
    """Raises ValidationFailed: it may not be chosen."""
    found = flaws(raw_password, username)
    if found:
        reason = "; ".join(found)
        raise ValidationFailed(f"{pointer}: {reason}", errors=[FieldError(pointer, reason)])
