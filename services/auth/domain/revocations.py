"""How far a revocation reaches, and until when it must be remembered."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.auth.domain.sessions import Lifetimes, Session
from shared.errors import FieldError, ValidationFailed
from shared.tokens.claims import MAX_LIFETIME_SECONDS, Claims
from shared.tokens.revocation import EVERYTHING, Revocation, Target

_UP_TO_A_SECOND = frozenset({"user", "client", "all"})
_KEY_SECONDS = 10 * 366 * 86_400  # who has stolen it goes on signing: it must be remembered until no verifier has it


@dataclass(frozen=True, slots=True)
class Guard:
    """Makes revocations that outlive all that they end, by any instance's clock."""

    lifetimes: Lifetimes
    clock_skew_seconds: int

    def of_session(self, session: Session, now: float) -> Revocation:
        """Ends the session's access tokens; a refresh that is under way gives out no later ones."""
        last_expiry = max(session.tokens_expire_at, self.lifetimes.tokens_expire_at(now))
        return self._revocation(Target("sid", session.session_id), last_expiry, now)

    def of_api_key(self, key_id: str, now: float) -> Revocation:
        """Ends the access tokens that the key gave; an exchange that is under way gives out no later ones."""
        return self._revocation(Target("sid", key_id), self.lifetimes.tokens_expire_at(now), now)

    def of_token(self, claims: Claims, now: float) -> Revocation:
        """Ends this one access token."""
        return self._revocation(Target("jti", claims.jti), claims.exp, now)

    def of_target(self, target: Target, now: float, not_before: int | None = None) -> Revocation:
        """Ends what is only known by its name: now, or what was issued up to `not_before`.

        A user's or a client's revocation ends sessions too, so it is kept as long as one of them could be refreshed.

        Raises:
            ValidationFailed: that second is yet to come, or `target` is something that ends for good.
        """
        longest = MAX_LIFETIME_SECONDS
        if target.kind in _UP_TO_A_SECOND:
            longest = max(longest, self.lifetimes.session_seconds)
        elif target.kind == "key":
            longest = _KEY_SECONDS
        if not_before is None:
            return self._revocation(target, int(now) + longest, now)
        if target.kind not in _UP_TO_A_SECOND:
            raise _refused("A token, a session and a key end for good: leave it out.")
        if not_before > now:
            raise _refused("It lies ahead. What is yet to be issued can't be revoked.")
        return self._revocation(target, int(now) + longest, not_before)

    def _revocation(self, target: Target, last_expiry: int, not_before: float) -> Revocation:
        return Revocation(target, not_before=int(not_before), expires_at=last_expiry + self.clock_skew_seconds + 1)


def _refused(detail: str) -> ValidationFailed:
    return ValidationFailed(f"not_before: {detail}", errors=[FieldError("/not_before", detail)])


def ends_session(revocations: Iterable[Revocation], session: Session) -> bool:
    """Whether one of these (of all that could be about it) ends the session, not only a token of it."""
    return any(
        revocation.target == Target("sid", session.session_id) or session.issued_at <= revocation.not_before
        for revocation in revocations
    )


def revoked_up_to(revocations: Iterable[Revocation]) -> int:
    """The last second that one of these ends; -1: there is none."""
    return max((revocation.not_before for revocation in revocations), default=-1)


def targets_of_session(session: Session) -> tuple[Target, ...]:
    """All that a revocation of this session could be about."""
    return (
        Target("sid", session.session_id),
        Target("user", session.user_id),
        Target("client", session.client_id),
        EVERYTHING,
    )
