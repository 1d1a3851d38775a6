"""What a client may know of a token, and what it is told (RFC 7662 §2.2). Pure."""

from collections.abc import Mapping

from services.auth.domain.access_tokens import acting
from services.auth.domain.api_keys import ApiKey
from services.auth.domain.clients import Client
from services.auth.domain.sessions import Session
from shared.tokens.claims import Claims

INACTIVE: Mapping[str, object] = {"active": False}
"""The one answer for whatever is unknown, expired, revoked, or not for this client to know."""


def may_see_access_token(client: Client, claims: Claims) -> bool:
    """Its own, one that was made for it, or any, if it is registered for that."""
    return client.may_introspect or client.client_id in {claims.client_id, *claims.aud}


def may_see_session(client: Client, session: Session) -> bool:
    """A refresh token is nobody's business but the client's that has it, and whose who may see all."""
    return client.may_introspect or client.client_id == session.client_id


def of_access_token(claims: Claims, issuer: str) -> Mapping[str, object]:
    """What stands in it, for a resource server that can't verify it itself."""
    members: dict[str, object] = {
        "active": True,
        "token_type": "Bearer",
        "iss": issuer,
        "sub": claims.sub,
        "aud": claims.aud[0] if len(claims.aud) == 1 else list(claims.aud),
        "client_id": claims.client_id,
        "jti": claims.jti,
        "iat": claims.iat,
        "exp": claims.exp,
        "scope": " ".join(sorted(claims.scope)),
    }
    if claims.nbf is not None:
        members["nbf"] = claims.nbf
    if claims.sid is not None:
        members |= {"sid": claims.sid, "username": claims.username, "roles": list(claims.roles)}
        members["permissions"] = list(claims.permissions)
    if claims.parents:
        members["act"] = acting(claims.client_id, claims.parents)
    return members


def of_refresh_token(session: Session, scope: frozenset[str], issuer: str) -> Mapping[str, object]:
    """`exp`: until when the session can be refreshed, each time by another token."""
    return {
        "active": True,
        "iss": issuer,
        "sub": session.user_id,
        "client_id": session.client_id,
        "iat": session.refresh.rotated_at_ms // 1000,
        "exp": session.expires_at,
        "scope": " ".join(sorted(scope)),
        "sid": session.session_id,
        "username": session.username,
    }


def of_api_key(key: ApiKey, scope: frozenset[str], issuer: str) -> Mapping[str, object]:
    """`scope`: what a token for it would have now."""
    return {
        "active": True,
        "iss": issuer,
        "sub": key.user_id,
        "iat": key.created_at_ms // 1000,
        "exp": key.expires_at,
        "scope": " ".join(sorted(scope)),
        "sid": key.key_id,
        "username": key.username,
    }
