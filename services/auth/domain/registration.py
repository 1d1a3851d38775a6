"""Registering clients, and changing them: what goes together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.auth.domain.client_secrets import STATED
from services.auth.domain.clients import AuthMethod, Client
from services.auth.domain.grant_types import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, TOKEN_EXCHANGE
from shared.errors import FieldError, ValidationFailed
from shared.ids import new_id

_CONFIDENTIAL_GRANTS = frozenset({CLIENT_CREDENTIALS, TOKEN_EXCHANGE})


@dataclass(frozen=True, slots=True)
class Registration:
    """What an administrator decides about a client."""

    name: str
    auth_method: AuthMethod
    grant_types: frozenset[str]
    redirect_uris: tuple[str, ...]
    scope: frozenset[str]
    audiences: tuple[str, ...]
    may_introspect: bool


def register(registration: Registration, now: float, client_id: str | None = None) -> Client:
    """A new client, without a secret yet. Without an id it gets one that is nobody's.

    Raises:
        ValidationFailed: what is registered does not go together.
    """
    client = Client(
        client_id=client_id or new_id("client"),
        name=registration.name,
        secrets=(),
        auth_method=registration.auth_method,
        grant_types=registration.grant_types,
        redirect_uris=registration.redirect_uris,
        scope=registration.scope,
        created_at=int(now),
        audiences=registration.audiences,
        may_introspect=registration.may_introspect,
    )
    return _consistent(client)


def changed(client: Client, members: Mapping[str, Any]) -> Client:
    """The client with these members of its registration instead.

    Raises:
        ValidationFailed: they do not go together with the others.
    """
    after = replace(client, **members)
    if after.is_public != client.is_public:
        raise _invalid("auth_method", "a public client stays public, and one with secrets has them; register another")
    return _consistent(after)


def as_stated(known: Client, stated: Client) -> Client:
    """What a client becomes that the settings state; secrets that administrators gave it stay."""
    given = tuple(secret for secret in known.secrets if not secret.secret_id.startswith(STATED))
    secrets = () if stated.is_public else (*stated.secrets, *given)
    return replace(stated, secrets=secrets, created_at=known.created_at, version=known.version)


def disabled(client: Client) -> Client:
    """What is left of a client while it is being deleted: nobody can be it, and it is good for nothing."""
    return replace(client, auth_method="client_secret_basic", secrets=(), grant_types=frozenset(), redirect_uris=())


def _consistent(client: Client) -> Client:
    only_confidential = sorted(client.grant_types & _CONFIDENTIAL_GRANTS)
    if client.is_public and only_confidential:
        raise _invalid("grant_types", f"a public client can't have {' or '.join(only_confidential)}: it has no secret")
    if client.is_public and client.may_introspect:
        raise _invalid("may_introspect", "must be false for a public client: anybody could say to be it")
    if AUTHORIZATION_CODE in client.grant_types and not client.redirect_uris:
        raise _invalid("redirect_uris", f"the grant {AUTHORIZATION_CODE} needs at least one")
    if client.redirect_uris and AUTHORIZATION_CODE not in client.grant_types:
        raise _invalid("redirect_uris", f"only for the grant {AUTHORIZATION_CODE}; leave it out")
    if client.audiences and TOKEN_EXCHANGE not in client.grant_types:
        raise _invalid("audiences", f"only for the grant {TOKEN_EXCHANGE}; leave it out")
    return client


def _invalid(member: str, detail: str) -> ValidationFailed:
    errors: Sequence[FieldError] = [FieldError(f"/{member}", detail)]
    return ValidationFailed(f"/{member}: {detail}", errors=errors)
