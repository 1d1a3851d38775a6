"""The bodies of `/api/clients`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from services.auth.domain.built_in_clients import BUILT_IN
from services.auth.domain.client_secrets import stated_secret
from services.auth.domain.clients import AuthMethod, Client, ClientSecret
from services.auth.domain.grant_types import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
)
from services.auth.domain.redirect_uris import check_redirect_uri
from services.auth.domain.registration import Registration, register
from services.auth.domain.users import SCOPES
from services.auth.flows.add_client_secret import AddedSecret
from services.auth.flows.create_client import CreatedClient
from shared import clock
from shared.web.schema import RequestModel, ResponseModel

DAY_SECONDS = 86_400
_LONGEST_OVERLAP_SECONDS = 30 * DAY_SECONDS
_MOST = 20


def _redirect_uri(raw_uri: str) -> str:
    check_redirect_uri(raw_uri)
    return raw_uri


def _scope(raw_scope: str) -> str:
    unknown = sorted(set(raw_scope.split(" ")) - set(SCOPES))
    if unknown:
        raise ValueError(f"names out of {', '.join(SCOPES)}, separated by single spaces")
    return raw_scope


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise ValueError("must not name one twice")
    return values


Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=100, examples=["Monthly reports"])]
Grant: TypeAlias = Literal[  # the names of grant_types, which a type can't be made of
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
]
GrantTypes: TypeAlias = Annotated[
    list[Grant],
    Field(
        min_length=1,
        max_length=_MOST,
        description="What it may use at `/oauth2/token`; RFC 7591's names.",
        examples=[[CLIENT_CREDENTIALS]],
    ),
    AfterValidator(_distinct),
]
RedirectUris: TypeAlias = Annotated[
    list[Annotated[str, Field(max_length=2048), AfterValidator(_redirect_uri)]],
    Field(
        max_length=_MOST,
        description=f"For {AUTHORIZATION_CODE}: https, or http to 127.0.0.1, [::1] or localhost. Compared letter by "
        "letter.",
        examples=[["https://app.example/callback"]],
    ),
    AfterValidator(_distinct),
]
Scope: TypeAlias = Annotated[
    str,
    Field(max_length=200, description="The most that it may be granted.", examples=["jobs:read jobs:write"]),
    AfterValidator(_scope),
]
Audiences: TypeAlias = Annotated[
    list[Annotated[str, Field(pattern=r"^[A-Za-z0-9._~:/-]{1,200}$")]],
    Field(
        max_length=_MOST,
        description="Services, beside this house's own, for which it may exchange tokens.",
        examples=[["billing"]],
    ),
    AfterValidator(_distinct),
]
MayIntrospect: TypeAlias = Annotated[
    bool, Field(description="Whether `/oauth2/introspect` tells it about tokens that are not its own.")
]


class ClientRequest(RequestModel):
    name: Name
    auth_method: AuthMethod = Field(
        "client_secret_basic",
        description="RFC 7591's `token_endpoint_auth_method`; `none` for a program that can't keep a secret.",
    )
    grant_types: GrantTypes
    redirect_uris: RedirectUris = Field(default_factory=list)
    scope: Scope
    audiences: Audiences = Field(default_factory=list)
    may_introspect: MayIntrospect = False

    @property
    def registration(self) -> Registration:
        return Registration(
            name=self.name,
            auth_method=self.auth_method,
            grant_types=frozenset(self.grant_types),
            redirect_uris=tuple(self.redirect_uris),
            scope=frozenset(self.scope.split(" ")),
            audiences=tuple(self.audiences),
            may_introspect=self.may_introspect,
        )


class StatedClient(ClientRequest):
    """A client that the setting `MAYFLY_CLIENTS` states. With a new secret and the old one it has both."""

    # No underscore: so it is no user's id, which a client's own token has in its place.
    client_id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    secrets: list[Annotated[str, Field(min_length=32, max_length=200)]] = Field(default_factory=list, max_length=5)

    @model_validator(mode="after")
    def _has_what_proves_it(self) -> "StatedClient":
        if self.client_id in BUILT_IN:
            raise ValueError(f"client_id: {self.client_id} is built in")
        if (self.auth_method == "none") != (not self.secrets):
            raise ValueError("secrets: at least one, and none with the auth_method none")
        return self

    @property
    def client(self) -> Client:
        """Raises ValidationFailed: it does not go together."""
        client = register(self.registration, now=0, client_id=self.client_id)
        return replace(client, secrets=tuple(map(stated_secret, self.secrets)))


class ClientChangeRequest(RequestModel):
    """What is left out stays as it is."""

    name: Name | None = None
    auth_method: AuthMethod | None = Field(None, description="A public client stays public.")
    grant_types: GrantTypes | None = None
    redirect_uris: RedirectUris | None = None
    scope: Scope | None = None
    audiences: Audiences | None = None
    may_introspect: MayIntrospect | None = None

    @property
    def members(self) -> Mapping[str, Any]:
        """Those of a `Registration` that change."""
        given = self.model_dump(exclude_none=True)
        makers: Mapping[str, Any] = {
            "grant_types": frozenset,
            "redirect_uris": tuple,
            "audiences": tuple,
            "scope": lambda scope: frozenset(scope.split(" ")),
        }
        return {name: makers[name](value) if name in makers else value for name, value in given.items()}


class ClientSecretRequest(RequestModel):
    overlap_seconds: int = Field(
        DAY_SECONDS,
        ge=0,
        le=_LONGEST_OVERLAP_SECONDS,
        description="How long the secrets that the client has stay good; 0: they end now.",
        examples=[DAY_SECONDS],
    )


class ClientSecretResponse(ResponseModel):
    secret_id: str = Field(examples=["sec_mfrggzdfmztwq2lknnwg23tpob"])
    created_at: str = Field(examples=["2026-11-24T22:22:24.000Z"])
    expires_at: str | None = Field(description="Null: it does not expire.", examples=["2026-11-25T22:22:24.000Z"])

    @classmethod
    def of(cls, secret: ClientSecret) -> "ClientSecretResponse":
        expires_at = None if secret.expires_at is None else clock.rfc3339(secret.expires_at)
        return cls(secret_id=secret.secret_id, created_at=clock.rfc3339(secret.created_at), expires_at=expires_at)


class AddedSecretResponse(ClientSecretResponse):
    client_secret: str = Field(description="Shown this once.", examples=["mfs_8Kx…"])

    @classmethod
    def of_added(cls, added: AddedSecret) -> "AddedSecretResponse":
        shown = ClientSecretResponse.of(added.kept)
        return cls(**shown.model_dump(), client_secret=added.secret)


class ClientResponse(ResponseModel):
    client_id: str = Field(examples=["client_mfrggzdfmztwq2lknnwg23tpob"])
    name: str = Field(examples=["Monthly reports"])
    auth_method: AuthMethod
    grant_types: list[str] = Field(examples=[[CLIENT_CREDENTIALS]])
    redirect_uris: list[str] = Field(examples=[[]])
    scope: str = Field(examples=["jobs:read jobs:write"])
    audiences: list[str] = Field(examples=[[]])
    may_introspect: bool
    created_at: str = Field(examples=["2026-11-24T22:22:24.000Z"])
    secrets: list[ClientSecretResponse] = Field(description="What is known of its secrets; expired ones too.")

    @classmethod
    def of(cls, client: Client) -> "ClientResponse":
        return cls(
            client_id=client.client_id,
            name=client.name,
            auth_method=client.auth_method,
            grant_types=sorted(client.grant_types),
            redirect_uris=list(client.redirect_uris),
            scope=" ".join(sorted(client.scope)),
            audiences=list(client.audiences),
            may_introspect=client.may_introspect,
            created_at=clock.rfc3339(client.created_at),
            secrets=[ClientSecretResponse.of(secret) for secret in client.secrets],
        )


class CreatedClientResponse(ClientResponse):
    client_secret: str | None = Field(description="Shown this once; null for a public client.", examples=["mfs_8Kx…"])

    @classmethod
    def of_created(cls, created: CreatedClient) -> "CreatedClientResponse":
        shown = ClientResponse.of(created.client)
        return cls(**shown.model_dump(), client_secret=created.secret)


class ClientsResponse(ResponseModel):
    clients: list[ClientResponse]
    next_cursor: str | None = Field(description="Null: this is the last page.", examples=[None])

    @classmethod
    def of(cls, clients: Sequence[Client], next_cursor: str | None) -> "ClientsResponse":
        return cls(clients=[ClientResponse.of(client) for client in clients], next_cursor=next_cursor)
