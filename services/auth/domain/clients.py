"""Clients: programs that get tokens, how they prove who they are, and what they may ask for."""

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import unquote_plus

from services.auth.domain.oauth_errors import InvalidClient, InvalidOAuthRequest, InvalidScope, UnauthorizedClient
from shared.ids import digest

AuthMethod: TypeAlias = Literal["client_secret_basic", "client_secret_post", "none"]

CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*\Z")  # RFC 6749 §3.3
_NO_SECRET = digest("")
_LONGEST_CLIENT_ID = 128
_UNKNOWN = "The client is unknown, or it does not prove who it is as it is registered to."


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """Of the secret only its SHA-256 is kept. Times are Unix seconds; None: it does not expire."""

    secret_id: str
    hash: str = field(repr=False)
    created_at: int
    expires_at: int | None = None

    def is_live(self, now: float) -> bool:
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Client:
    """A row of `clients`.

    `auth_method` is RFC 7591's `token_endpoint_auth_method`: by HTTP Basic; in the body (or by Basic, which every
    server must take); `none`: a public client, which has no secret and proves nothing. While a secret is exchanged
    there are two. `scope` is the most that it may be granted. `audiences`: the services, beside this house's own, for
    which it may exchange tokens. `may_introspect` lets it look into tokens that are not its own. `version` is counted
    up by each change that is stored.
    """

    client_id: str
    name: str
    secrets: tuple[ClientSecret, ...]
    auth_method: AuthMethod
    grant_types: frozenset[str]
    redirect_uris: tuple[str, ...]
    scope: frozenset[str]
    created_at: int
    audiences: tuple[str, ...] = ()
    may_introspect: bool = False
    version: int = 0

    @property
    def is_public(self) -> bool:
        return self.auth_method == "none"

    def must_be_for(self, grant_type: str) -> None:
        """Raises UnauthorizedClient: it is not registered for this grant."""
        if grant_type not in self.grant_types:
            raise UnauthorizedClient(f"This client is not registered for the grant {grant_type}.")


@dataclass(frozen=True, slots=True)
class UnverifiedClient:
    """Who a request says it comes from; `secret` is None where it proves nothing."""

    client_id: str
    secret: str | None
    by_header: bool

    def __repr__(self) -> str:
        return f"UnverifiedClient(client_id={self.client_id!r})"

    def verified(self, client: Client | None, now: float) -> Client:
        """The client, if it is known and this is how it proves who it is. Raises InvalidClient."""
        hashes = [secret.hash for secret in client.secrets if secret.is_live(now)] if client else []
        presented = digest(self.secret or "")
        is_right = [hmac.compare_digest(presented, known) for known in hashes or [_NO_SECRET]]
        if client is None or not self._proves(client.auth_method, secret_is_right=bool(hashes) and any(is_right)):
            raise InvalidClient(_UNKNOWN, by_header=self.by_header)
        return client

    def _proves(self, method: AuthMethod, *, secret_is_right: bool) -> bool:
        if method == "none":
            return not self.secret
        return secret_is_right and (self.by_header or method == "client_secret_post")


def may_be_client_id(unverified_id: str) -> bool:
    """Whether a client of this name could have been registered: nothing else is worth asking the table for."""
    return CLIENT_ID.fullmatch(unverified_id) is not None


def presented_client(raw_authorization: str | None, form: Mapping[str, str]) -> UnverifiedClient | None:
    """`client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1), a bare `client_id`, or nothing at all.

    Raises:
        InvalidClient: no client of ours can be meant. InvalidOAuthRequest: two ways at once, or half of one.
    """
    client = _presented_client(raw_authorization, form)
    if client is not None and len(client.client_id) > _LONGEST_CLIENT_ID:
        raise InvalidClient(_UNKNOWN, by_header=client.by_header)
    return client


def _presented_client(raw_authorization: str | None, form: Mapping[str, str]) -> UnverifiedClient | None:
    client_id, secret = form.get("client_id"), form.get("client_secret")
    if raw_authorization is not None:
        client = _basic(raw_authorization)
        if secret is not None or client_id not in {None, client.client_id}:
            raise InvalidOAuthRequest("Authenticate the client in one way: the Authorization header, or the body.")
        return client
    if client_id is None:
        if secret is not None:
            raise InvalidOAuthRequest("client_secret without client_id.")
        return None
    return UnverifiedClient(client_id, secret, by_header=False)


def narrow_scope(allowed: frozenset[str], raw_scope: str | None) -> frozenset[str]:
    """What was asked for, if all of it is allowed; all that is allowed, if nothing was asked for. Never more.

    Raises:
        InvalidScope: not a list of scopes, or one that is not allowed.
    """
    if raw_scope is None:
        return allowed
    if not _SCOPE.match(raw_scope):
        raise InvalidScope("scope: names, separated by single spaces.")
    asked = frozenset(raw_scope.split(" "))
    if not asked <= allowed:
        raise InvalidScope(f"scope: at most {' '.join(sorted(allowed)) or 'none'}.")
    return asked


def _basic(raw_authorization: str) -> UnverifiedClient:
    scheme, _, credentials = raw_authorization.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient("Clients authenticate with HTTP Basic, or in the body.", by_header=True)
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
        client_id, colon, secret = text.partition(":")
        client_id, secret = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError:
        raise InvalidClient("The Authorization header is no HTTP Basic.", by_header=True) from None
    if not colon or not client_id or "\0" in client_id + secret:
        raise InvalidClient("The Authorization header is no HTTP Basic.", by_header=True)
    return UnverifiedClient(client_id, secret, by_header=True)
