"""What a request for a token exchange says (RFC 8693 §2.1), and what it may be answered with. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.auth.domain.clients import Client, narrow_scope
from services.auth.domain.oauth_errors import InvalidOAuthRequest, InvalidScope, InvalidTarget
from shared.tokens.claims import MOST_PARENTS, Claims

API_KEY_TYPE = "urn:mayfly:token-type:api-key"
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - RFC 8693's word
JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
_OURS = frozenset({ACCESS_TOKEN_TYPE, JWT_TYPE})  # our access tokens are JWTs


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, whose parameters go together; the tokens in it are still to be verified."""

    unverified_subject: str = field(repr=False)
    subject_is_api_key: bool
    unverified_actor: str | None = field(repr=False)
    raw_scope: str | None
    audience: str | None

    @classmethod
    def parse(cls, form: Mapping[str, str]) -> "Exchange":
        """Raises InvalidOAuthRequest: a parameter is missing, unknown or too much. InvalidTarget: `resource`."""
        subject = _needed(form, "subject_token")
        subject_type = _needed(form, "subject_token_type")
        if subject_type not in {API_KEY_TYPE, *_OURS}:
            raise InvalidOAuthRequest(f"subject_token_type: {API_KEY_TYPE} or {ACCESS_TOKEN_TYPE}.")
        if form.get("requested_token_type", ACCESS_TOKEN_TYPE) not in _OURS:
            raise InvalidOAuthRequest(f"requested_token_type: {ACCESS_TOKEN_TYPE}, or leave it out.")
        if "resource" in form:
            raise InvalidTarget("resource: services have names here; send the name as audience.")
        actor = form.get("actor_token")
        if (actor is None) != ("actor_token_type" not in form):
            raise InvalidOAuthRequest("actor_token and actor_token_type go together.")
        if form.get("actor_token_type", ACCESS_TOKEN_TYPE) not in _OURS:
            raise InvalidOAuthRequest(f"actor_token_type: {ACCESS_TOKEN_TYPE}.")
        is_key = subject_type == API_KEY_TYPE
        if is_key and actor is not None:
            raise InvalidOAuthRequest("actor_token: nobody acts for the holder of an API key; leave it out.")
        return cls(subject, is_key, actor, form.get("scope"), form.get("audience"))


def exchanged_scope(held: frozenset[str], client: Client, raw_scope: str | None) -> frozenset[str]:
    """What was asked for of what both the subject token and the client have. Raises InvalidScope: it is too much."""
    scope = narrow_scope(held & client.scope, raw_scope)
    if not scope:
        raise InvalidScope("scope: the subject token and this client have nothing in common.")
    return scope


def exchanged_audience(subject: Claims, client: Client, asked: str | None, house: str) -> str:
    """For whom the new token is: this house, if the subject token was, or a service that is named for the client.

    Raises:
        InvalidOAuthRequest: the subject token is for somebody else, or was handed on too often.
        InvalidTarget: not for that service.
    """
    if house not in subject.aud and client.client_id not in subject.aud:
        raise InvalidOAuthRequest("subject_token: it was made for another service than this client.")
    if len(subject.parents) >= MOST_PARENTS:
        raise InvalidOAuthRequest("subject_token: it was exchanged too often.")
    allowed = [house, *client.audiences] if house in subject.aud else list(client.audiences)
    audience = asked or next(iter(allowed), None)
    if audience not in allowed:
        raise InvalidTarget(f"audience: one of {', '.join(allowed) or 'none'}.")
    return audience


def _needed(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if value is None:
        raise InvalidOAuthRequest(f"The parameter {name} is missing.")
    return value
