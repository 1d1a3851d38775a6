"""What `POST /oauth2/token` gives, a function for each grant type."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import Field

from services.auth.domain.authorization_codes import Redemption
from services.auth.domain.clients import UnverifiedClient
from services.auth.domain.grant_types import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)
from services.auth.domain.oauth_errors import InvalidOAuthRequest, UnsupportedGrantType
from services.auth.domain.sessions import Origin
from services.auth.domain.token_exchange import ACCESS_TOKEN_TYPE, Exchange
from services.auth.flows.issuing import IssuedToken
from services.auth.flows.session_start import StartedSession
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

    issued_token_type: str | None = Field(None, description="With token exchange only.", examples=[ACCESS_TOKEN_TYPE])

    @classmethod
    def of(cls, issued: IssuedToken, refresh_token: str | None = None) -> "TokenResponse":
        scope = " ".join(sorted(issued.scope))
        return cls(access_token=issued.token, expires_in=issued.expires_in, scope=scope, refresh_token=refresh_token)

    @classmethod
    def of_start(cls, started: StartedSession) -> "TokenResponse":
        return cls.of(started.access, None if started.refresh_token is None else str(started.refresh_token))


Form: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GrantRequest:
    client: UnverifiedClient | None
    form: Form
    origin: Origin

    def needed(self, name: str) -> str:
        return needed(self.form, name)


Answer: TypeAlias = Callable[[Resources, GrantRequest], Awaitable[TokenResponse]]


async def _authorization_code(resources: Resources, asked: GrantRequest) -> TokenResponse:
    redemption = Redemption(asked.needed("code"), asked.form.get("redirect_uri"), asked.needed("code_verifier"))
    started = await resources.browser.redeem_code(asked.client, redemption, asked.origin)
    return TokenResponse.of_start(started)


async def _device_code(resources: Resources, asked: GrantRequest) -> TokenResponse:
    started = await resources.devices.redeem(asked.client, asked.needed("device_code"), asked.origin)
    return TokenResponse.of_start(started)


async def _client_credentials(resources: Resources, asked: GrantRequest) -> TokenResponse:
    return TokenResponse.of(await resources.tokens.issue_to_client(asked.client, asked.form.get("scope")))


async def _refresh_token(resources: Resources, asked: GrantRequest) -> TokenResponse:
    refreshed = await resources.sessions.refresh(asked.client, asked.needed("refresh_token"), asked.form.get("scope"))
    return TokenResponse.of(refreshed.access, str(refreshed.refresh_token))


async def _token_exchange(resources: Resources, asked: GrantRequest) -> TokenResponse:
    exchange, flows = Exchange.parse(asked.form), resources.api_keys
    answer = flows.exchange if exchange.subject_is_api_key else flows.exchange_token
    issued = TokenResponse.of(await answer(asked.client, exchange))
    return issued.model_copy(update={"issued_token_type": ACCESS_TOKEN_TYPE})


_ANSWERS: Mapping[str, Answer] = {
    AUTHORIZATION_CODE: _authorization_code,
    REFRESH_TOKEN: _refresh_token,
    CLIENT_CREDENTIALS: _client_credentials,
    TOKEN_EXCHANGE: _token_exchange,
    DEVICE_CODE: _device_code,
}

GRANT_TYPES = tuple(_ANSWERS)
"""As the metadata document names them."""


async def answer_grant(resources: Resources, asked: GrantRequest) -> TokenResponse:
    """Raises OAuthError: as RFC 6749 §5.2 has it. Unavailable: what it needs does not answer."""
    answer = _ANSWERS.get(asked.needed("grant_type"))
    if answer is None:
        raise UnsupportedGrantType(f"grant_type: one of {', '.join(GRANT_TYPES)}.")
    return await answer(resources, asked)


def needed(form: Form, name: str) -> str:
    """The value of this parameter. Raises InvalidOAuthRequest: it is missing."""
    value = form.get(name)
    if value is None:
        raise InvalidOAuthRequest(f"The parameter {name} is missing.")
    return value
