"""What a user has let a client do, until it becomes a session."""

from dataclasses import dataclass

from services.auth.domain.users import User
from shared.tokens.revocation import EVERYTHING, Target


@dataclass(frozen=True, slots=True)
class Consent:
    """`issued_at`: a revocation of the user or the client up to then takes the consent too, as a new password does."""

    user_id: str
    username: str
    client_id: str
    scope: frozenset[str]
    issued_at: int

    @property
    def targets(self) -> tuple[Target, ...]:
        """All that a revocation of it could be about."""
        return Target("user", self.user_id), Target("client", self.client_id), EVERYTHING

    def holds(self, user: User | None, revoked_up_to: int) -> bool:
        """Whether it still does, with the user as they are now."""
        if user is None or user.disabled or user.user_id != self.user_id:
            return False
        return self.issued_at > max(revoked_up_to, user.password_changed_at)
