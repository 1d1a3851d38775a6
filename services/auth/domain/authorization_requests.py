"""What a client asks of `/oauth2/authorize` (RFC 6749 §4.1.1, RFC 7636, RFC 9207). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from services.auth.domain.clients import Client, narrow_scope
from services.auth.domain.grant_types import AUTHORIZATION_CODE
from services.auth.domain.oauth_errors import InvalidOAuthRequest, OAuthError, UnsupportedResponseType, in_ascii
from services.auth.domain.pkce import parse_challenge
from services.auth.domain.problems import UnusableAuthorizationRequest
from services.auth.domain.redirects import is_registered, with_parameters

RESPONSE_TYPE = "code"
RESPONSE_MODE = "query"
PROMPTS = ("none", "login", "consent", "select_account")

_LONGEST_STATE = 4096
_KEPT = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "prompt",
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """As they came: each name with its first value; `repeated` came more than once, which §3.1 forbids."""

    values: Mapping[str, str]
    repeated: frozenset[str]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Parameters":
        values: dict[str, str] = {}
        repeated = set()
        for name, value in pairs:
            if name in values:
                repeated.add(name)
            values.setdefault(name, value)
        return cls(values, frozenset(repeated))

    def once(self, name: str) -> str | None:
        """The value, if there is exactly one."""
        return None if name in self.repeated else self.values.get(name)

    def query(self, *, without_login: bool = False) -> str:
        """The same request again, as a query; without the wish for a new login, if that was fulfilled."""
        kept = {name: self.values[name] for name in _KEPT if name in self.values}
        if without_login and "prompt" in kept:
            prompts = [prompt for prompt in kept.pop("prompt").split(" ") if prompt not in {"login", "select_account"}]
            kept |= {"prompt": " ".join(prompts)} if prompts else {}
        return urlencode(kept)


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Client and redirect URI belong together: from here on errors may be told there (§4.1.2.1).

    `issuer` goes with every answer, so that a client that knows several servers can't be confused (RFC 9207).
    """

    client: Client
    redirect_uri: str
    state: str | None
    issuer: str

    def answer(self, parameters: Mapping[str, str]) -> str:
        state = {"state": self.state} if self.state is not None else {}
        return with_parameters(self.redirect_uri, {**parameters, **state, "iss": self.issuer})

    def error(self, error: OAuthError) -> str:
        return self.answer({"error": error.error, "error_description": in_ascii(error.description)})


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that can be shown to a user. `scope`: what the client asks for, and may have."""

    back: ReturnAddress
    redirect_uri_was_given: bool
    scope: frozenset[str]
    challenge: str
    prompts: frozenset[str]

    @property
    def client(self) -> Client:
        return self.back.client


def return_address(parameters: Parameters, client: Client | None, issuer: str) -> ReturnAddress:
    """Where to answer.

    Raises:
        UnusableAuthorizationRequest: nowhere. The user is told, and is sent to no address that a stranger chose.
    """
    if client is None or parameters.once("client_id") is None:
        raise UnusableAuthorizationRequest("client_id: no client of this name is known here, or it is named twice.")
    redirect_uri = parameters.once("redirect_uri")
    if "redirect_uri" not in parameters.values and len(client.redirect_uris) == 1:
        redirect_uri = client.redirect_uris[0]
    if redirect_uri is None or not is_registered(redirect_uri, client.redirect_uris):
        raise UnusableAuthorizationRequest("redirect_uri: it must be one that the client has registered, exactly.")
    return ReturnAddress(client, redirect_uri, parameters.once("state"), issuer)


def parse_request(parameters: Parameters, back: ReturnAddress) -> AuthorizationRequest:
    """Raises OAuthError: what the client is told at its redirect URI."""
    if parameters.repeated:
        raise InvalidOAuthRequest(f"Given more than once: {', '.join(sorted(parameters.repeated))}.")
    if any("\0" in value for value in parameters.values.values()):
        raise InvalidOAuthRequest("A parameter contains NUL.")
    if len(back.state or "") > _LONGEST_STATE:
        raise InvalidOAuthRequest(f"state: at most {_LONGEST_STATE} characters.")
    back.client.must_be_for(AUTHORIZATION_CODE)
    _refuse_what_is_not_spoken(parameters.values)
    prompts = frozenset(parameters.values.get("prompt", "").split())
    if not prompts <= frozenset(PROMPTS) or ("none" in prompts and len(prompts) > 1):
        raise InvalidOAuthRequest(f"prompt: some of {' '.join(PROMPTS)}; none stands alone.")
    return AuthorizationRequest(
        back=back,
        redirect_uri_was_given="redirect_uri" in parameters.values,
        scope=narrow_scope(back.client.scope, parameters.values.get("scope")),
        challenge=parse_challenge(
            parameters.values.get("code_challenge"), parameters.values.get("code_challenge_method")
        ),
        prompts=prompts,
    )


def _refuse_what_is_not_spoken(values: Mapping[str, str]) -> None:
    response_type = values.get("response_type")
    if response_type is None:
        raise InvalidOAuthRequest("response_type is missing.")
    if response_type != RESPONSE_TYPE:
        raise UnsupportedResponseType(f"response_type: {RESPONSE_TYPE} alone.")
    if values.get("response_mode", RESPONSE_MODE) != RESPONSE_MODE:
        raise InvalidOAuthRequest(f"response_mode: {RESPONSE_MODE} alone.")
    if not values.keys().isdisjoint({"request", "request_uri"}):
        raise InvalidOAuthRequest("request and request_uri (RFC 9101) are not supported: send the parameters.")
