"""`/oauth2/`: RFC 6749's token endpoint and RFC 7009's revocation endpoint."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.auth.dependencies import AuthResources
from services.auth.domain.clients import presented_client
from services.auth.domain.oauth_errors import (
    InvalidClient,
    InvalidGrant,
    InvalidOAuthRequest,
    InvalidScope,
    UnsupportedGrantType,
)
from services.auth.resources import Resources
from services.auth.routes.oauth_errors import NO_STORE, PREFIX, OAuthRoute, oauth_responses
from shared.errors import PayloadTooLarge, Unavailable
from shared.web.forms import MEDIA_TYPE, read_form
from shared.web.schema import ResponseModel

GRANT_TYPES = ("refresh_token", "client_credentials")

router = APIRouter(prefix=PREFIX, tags=["oauth2"], route_class=OAuthRoute)


class TokenResponse(ResponseModel):
    """RFC 6749 §5.1."""

    access_token: str = Field(examples=["eyJhbGciOi…"])
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - RFC 6750's word
    expires_in: int = Field(examples=[900])
    scope: str = Field(examples=["jobs:read jobs:write"])
    refresh_token: str | None = Field(
        None, description="The next one; with the grant refresh_token only.", examples=["ses_mfrggzdfmztwq2lk….8Kx…"]
    )


def _form(properties: dict[str, Any], required: list[str], example: dict[str, str]) -> dict[str, Any]:
    credentials = {
        "client_id": {"type": "string", "description": "May come by HTTP Basic instead, with the secret."},
        "client_secret": {"type": "string", "format": "password"},
    }
    schema = {"type": "object", "required": required, "properties": properties | credentials, "example": example}
    return {"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": schema}}}}


@router.post(
    "/token",
    summary="Get tokens",
    response_model_exclude_none=True,
    responses=oauth_responses(
        InvalidOAuthRequest,
        InvalidGrant,
        InvalidScope,
        UnsupportedGrantType,
        InvalidClient,
        PayloadTooLarge,
        Unavailable,
    ),
    openapi_extra=_form(
        {
            "grant_type": {"type": "string", "enum": list(GRANT_TYPES)},
            "refresh_token": {"type": "string", "description": "For the grant refresh_token."},
            "scope": {"type": "string", "description": "Less than was granted, if less is enough."},
        },
        ["grant_type"],
        {
            "grant_type": "client_credentials",
            "client_id": "demo-service",
            "client_secret": "demo-service-secret-local-only",
        },
    ),
)
async def token(request: Request, response: Response, resources: AuthResources) -> TokenResponse:
    """`client_credentials` gives a program a token of its own.

    `refresh_token` gives a session its next tokens. Each refresh token is good once; sent again within ten seconds it
    gives the same successor, sent again later it ends the session. No client authentication is needed for a session of
    `/api/login`.
    """
    response.headers.update(NO_STORE)
    return await _grant(request, resources, await read_form(request))


@router.post(
    "/revoke",
    summary="Revoke a token (RFC 7009)",
    response_class=Response,
    responses=oauth_responses(InvalidOAuthRequest, InvalidGrant, InvalidClient, PayloadTooLarge, Unavailable),
    openapi_extra=_form(
        {
            "token": {"type": "string"},
            "token_type_hint": {"type": "string", "examples": ["access_token", "refresh_token"]},
        },
        ["token"],
        {"token": "eyJhbGciOi…"},
    ),
)
async def revoke(request: Request, resources: AuthResources) -> Response:
    """An access token is revoked by itself, a refresh token with its session; both at every service.

    What is no token of ours is answered 200 as well: there is nothing left to revoke.
    """
    form = await read_form(request)
    client = presented_client(request.headers.get("authorization"), form)
    await resources.revoke_token(client, _needed(form, "token"))
    return Response(headers=NO_STORE)


async def _grant(request: Request, resources: Resources, form: dict[str, str]) -> TokenResponse:
    client = presented_client(request.headers.get("authorization"), form)
    grant_type, raw_scope = _needed(form, "grant_type"), form.get("scope")
    refresh_token = None
    if grant_type == "client_credentials":
        issued = await resources.issue_client_token(client, raw_scope)
    elif grant_type == "refresh_token":
        refreshed = await resources.refresh_session(client, _needed(form, "refresh_token"), raw_scope)
        issued, refresh_token = refreshed.access, str(refreshed.refresh_token)
    else:
        raise UnsupportedGrantType(f"grant_type: one of {', '.join(GRANT_TYPES)}.")
    scope = " ".join(sorted(issued.scope))
    return TokenResponse(
        access_token=issued.token, expires_in=issued.expires_in, scope=scope, refresh_token=refresh_token
    )


def _needed(form: dict[str, str], name: str) -> str:
    value = form.get(name)
    if value is None:
        raise InvalidOAuthRequest(f"The parameter {name} is missing.")
    return value
