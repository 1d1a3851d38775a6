"""What an access token of ours says (RFC 9068 §2.2)."""

from dataclasses import dataclass

from services.auth.domain.clients import Client
from services.auth.domain.sessions import Session
from services.auth.domain.users import User
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may do what: the whole content of a token but its times. A client's own token has no user and no session."""

    subject: str
    client_id: str
    scope: frozenset[str]
    session_id: str | None = None
    username: str | None = None
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()

    @classmethod
    def of_session(cls, session: Session, user: User, scope: frozenset[str]) -> "Grant":
        """Roles and permissions as the user has them now; the scope was decided by the caller."""
        return cls(
            user.user_id, session.client_id, scope, session.session_id, user.username, user.roles, user.permissions
        )

    @classmethod
    def of_client(cls, client: Client, scope: frozenset[str]) -> "Grant":
        return cls(client.client_id, client.client_id, scope)


def issue_second(now: float, revoked_up_to: int) -> int:
    """The `iat` of a token that is issued now: after what is revoked, were it in this very second.

    A verifier takes an `iat` that lies ahead of its clock by the clocks' skew, so one second more does no harm.
    """
    return max(int(now), revoked_up_to + 1)


def access_claims(grant: Grant, *, issuer: str, audience: str, issued_at: int, expires_at: int) -> dict[str, object]:
    """The payload; what the grant has not is left out."""
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": grant.subject,
        "aud": audience,
        "client_id": grant.client_id,
        "jti": new_id("tok"),
        "iat": issued_at,
        "nbf": issued_at,
        "exp": expires_at,
        "scope": " ".join(sorted(grant.scope)),
    }
    if grant.session_id is not None:
        claims |= {
            "sid": grant.session_id,
            "username": grant.username,
            "roles": list(grant.roles),
            "permissions": list(grant.permissions),
        }
    return claims
