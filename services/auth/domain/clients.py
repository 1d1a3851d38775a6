"""Clients: programs that get tokens of their own, how they prove who they are, and which scope they may have."""

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from services.auth.domain.oauth_errors import InvalidClient, InvalidOAuthRequest, InvalidScope
from shared.ids import digest

_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*\Z")  # RFC 6749 §3.3
_NO_SECRET = digest("")
_LONGEST_CLIENT_ID = 128


@dataclass(frozen=True, slots=True)
class Client:
    """A row of `clients`: a confidential client; of its secret only the SHA-256 is kept."""

    client_id: str
    secret_hash: str
    scope: frozenset[str]
    name: str


@dataclass(frozen=True, slots=True)
class UnverifiedClient:
    """Who a request says it comes from; `secret` is None where it proves nothing."""

    client_id: str
    secret: str | None
    by_header: bool

    def __repr__(self) -> str:
        return f"UnverifiedClient(client_id={self.client_id!r})"

    def verified(self, client: Client | None) -> Client:
        """The client, if it is known and the secret is its own. Raises InvalidClient."""
        stored_hash = client.secret_hash if client else _NO_SECRET
        secret_is_right = hmac.compare_digest(digest(self.secret or ""), stored_hash)
        if client is None or self.secret is None or not secret_is_right:
            raise InvalidClient("The client is unknown, or its secret is wrong.", by_header=self.by_header)
        return client


def presented_client(raw_authorization: str | None, form: Mapping[str, str]) -> UnverifiedClient | None:
    """`client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1), a bare `client_id`, or nothing at all.

    Raises:
        InvalidClient: no client of ours can be meant. InvalidOAuthRequest: two ways at once, or half of one.
    """
    client = _presented_client(raw_authorization, form)
    if client is not None and len(client.client_id) > _LONGEST_CLIENT_ID:
        raise InvalidClient("The client is unknown, or its secret is wrong.", by_header=client.by_header)
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
