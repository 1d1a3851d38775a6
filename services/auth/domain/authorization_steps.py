"""What a person at the browser is shown next on the way to an authorization. Pure."""

from dataclasses import dataclass
from typing import TypeAlias

from services.auth.domain.authorization_requests import AuthorizationRequest
from services.auth.domain.oauth_errors import AccessDenied, ConsentRequired, LoginRequired, OAuthError
from services.auth.domain.users import User, scope_of
from shared.errors import Problem


@dataclass(frozen=True, slots=True)
class GoTo:
    """Send the browser there: the client's redirect URI, with an answer in its query."""

    uri: str


@dataclass(frozen=True, slots=True)
class AskLogin:
    """`refusal`: why the login that was just tried did not do."""

    request: AuthorizationRequest
    refusal: Problem | None = None


@dataclass(frozen=True, slots=True)
class AskConsent:
    """`scope`: what the user would let the client do, which is no more than the user may."""

    request: AuthorizationRequest
    username: str
    scope: frozenset[str]


Step: TypeAlias = GoTo | AskLogin | AskConsent


def next_step(request: AuthorizationRequest, user: User | None) -> Step:
    """The user is asked each time: a client that only says who it is can't be told from another (RFC 8252 §8.6)."""
    if "none" in request.prompts:
        return _told(request, LoginRequired("Nobody is logged in.") if user is None else _CONSENT_REQUIRED)
    if user is None or request.prompts & {"login", "select_account"}:
        return AskLogin(request)
    scope = granted_scope(request, user)
    if not scope:
        return _told(request, AccessDenied("The user may do nothing of what is asked for."))
    return AskConsent(request, user.username, scope)


def granted_scope(request: AuthorizationRequest, user: User) -> frozenset[str]:
    return request.scope & scope_of(user.roles, user.permissions)


def denied(request: AuthorizationRequest) -> GoTo:
    return _told(request, AccessDenied("The user said no."))


def _told(request: AuthorizationRequest, error: OAuthError) -> GoTo:
    return GoTo(request.back.error(error))


_CONSENT_REQUIRED = ConsentRequired("The user has to be asked.")
