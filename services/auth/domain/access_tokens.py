"""What an access token of ours says (RFC 9068 §2.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.auth.domain.api_keys import ApiKey
from services.auth.domain.clients import Client
from services.auth.domain.problems import JustRevoked
from services.auth.domain.sessions import Session
from services.auth.domain.users import User, within
from shared.tokens.claims import Claims, Parent

_LONGEST_WAIT_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may do what: the whole content of a token but its times. A client's own token has no user and no session.

    `audience`: another one than this house's own. `parents`: the tokens that it was exchanged from, the nearest first.
    """

    subject: str
    client_id: str
    scope: frozenset[str]
    session_id: str | None = None
    username: str | None = None
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    audience: str | None = None
    parents: tuple[Parent, ...] = ()

    @classmethod
    def of_session(cls, session: Session, user: User, scope: frozenset[str]) -> "Grant":
        """Roles and permissions as the user has them now; the scope was decided by the caller."""
        return cls(
            user.user_id, session.client_id, scope, session.session_id, user.username, user.roles, user.permissions
        )

    @classmethod
    def of_api_key(cls, key: ApiKey, user: User, client_id: str, scope: frozenset[str]) -> "Grant":
        """The key stands in the place of the session, so what ends the one ends the other. Nothing beyond the scope."""
        roles, permissions = map(tuple, within(scope, user.roles, user.permissions))
        return cls(user.user_id, client_id, scope, key.key_id, user.username, roles, permissions)

    @classmethod
    def of_exchange(cls, subject: Claims, client_id: str, scope: frozenset[str], audience: str) -> "Grant":
        """Whose it was, for less; whatever ends the subject token, or one that it was made from, ends this one."""
        roles, permissions = map(tuple, within(scope, subject.roles, subject.permissions))
        parent = Parent(subject.jti, subject.client_id, subject.iat, subject.kid)
        parents = (parent, *subject.parents)
        return cls(subject.sub, client_id, scope, subject.sid, subject.username, roles, permissions, audience, parents)

    @classmethod
    def of_client(cls, client: Client, scope: frozenset[str]) -> "Grant":
        return cls(client.client_id, client.client_id, scope)


def issue_second(now: float, revoked_up_to: int) -> int:
    """The `iat` of a token that is issued now: after what is revoked. Were that in this very second, wait for the next.

    A token of a second that is yet to come would outlive a revocation of this one, of whatever else it is about.

    Raises:
        JustRevoked: so long nobody should have to wait.
    """
    second = max(int(now), revoked_up_to + 1)
    if second > int(now) + _LONGEST_WAIT_SECONDS:
        raise JustRevoked
    return second


def access_claims(
    grant: Grant, *, token_id: str, issuer: str, audience: str, issued_at: int, expires_at: int
) -> dict[str, object]:
    """The payload; what the grant has not is left out."""
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": grant.subject,
        "aud": grant.audience or audience,
        "client_id": grant.client_id,
        "jti": token_id,
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
    if grant.parents:
        claims["exchanged_from"] = [parent._asdict() for parent in grant.parents]
        claims["act"] = acting(grant.client_id, grant.parents)
    return claims


def acting(client_id: str, parents: Sequence[Parent]) -> dict[str, object]:
    """The claim `act` (RFC 8693 §4.1): the client that acts for the subject, and in it those that did before.

    The first of all tokens was given to a client, not exchanged by one: that client acted for nobody.
    """
    actors = [client_id, *(parent.client_id for parent in parents[:-1])]
    claim: dict[str, object] = {}
    for actor in reversed(actors):
        claim = {"sub": actor, "act": claim} if claim else {"sub": actor}
    return claim
