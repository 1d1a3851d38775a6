"""What `POST /oauth2/token` gives, a function for each grant type."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeAlias

from pydantic import Field

from services.auth.domain.clients import UnverifiedClient
from services.auth.domain.grant_types import CLIENT_CREDENTIALS, REFRESH_TOKEN
from services.auth.domain.oauth_errors import InvalidOAuthRequest, UnsupportedGrantType
from services.auth.flows.issuing import IssuedToken
from services.auth.resources import Resources
from shared.web.schema import ResponseModel


class TokenResponse(ResponseModel):
    """RFC 6749 §5.1."""

    access_token: str = Field(examples=["eyJhbGciOi…"])
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - RFC 6750's word
    expires_in: int = Field(examples=[900])
    scope: str = Field(examples=["jobs:read jobs:write"])
    refresh_token: str | None = Field(
        None, description="The next one; with the grant refresh_token only.", examples=["ses_mfrggzdfmztwq2lk….8Kx…"]
    )

    @classmethod
    def of(cls, issued: IssuedToken, refresh_token: str | None = None) -> "TokenResponse":
        scope = " ".join(sorted(issued.scope))
        return cls(access_token=issued.token, expires_in=issued.expires_in, scope=scope, refresh_token=refresh_token)


Form: TypeAlias = Mapping[str, str]
Answer: TypeAlias = Callable[[Resources, UnverifiedClient | None, Form], Awaitable[TokenResponse]]


async def _client_credentials(resources: Resources, client: UnverifiedClient | None, form: Form) -> TokenResponse:
    return TokenResponse.of(await resources.tokens.issue_to_client(client, form.get("scope")))


async def _refresh_token(resources: Resources, client: UnverifiedClient | None, form: Form) -> TokenResponse:
    refreshed = await resources.sessions.refresh(client, needed(form, "refresh_token"), form.get("scope"))
    return TokenResponse.of(refreshed.access, str(refreshed.refresh_token))


_ANSWERS: Mapping[str, Answer] = {REFRESH_TOKEN: _refresh_token, CLIENT_CREDENTIALS: _client_credentials}

GRANT_TYPES = tuple(_ANSWERS)
"""As the metadata document names them."""


async def answer_grant(resources: Resources, client: UnverifiedClient | None, form: Form) -> TokenResponse:
    """Raises OAuthError: as RFC 6749 §5.2 has it. Unavailable: what it needs does not answer."""
    answer = _ANSWERS.get(needed(form, "grant_type"))
    if answer is None:
        raise UnsupportedGrantType(f"grant_type: one of {', '.join(GRANT_TYPES)}.")
    return await answer(resources, client, form)


def needed(form: Form, name: str) -> str:
    """The value of this parameter. Raises InvalidOAuthRequest: it is missing."""
    value = form.get(name)
    if value is None:
        raise InvalidOAuthRequest(f"The parameter {name} is missing.")
    return value
