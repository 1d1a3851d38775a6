"""`/oauth2/`: RFC 6749's token endpoint and RFC 7009's revocation endpoint."""

from fastapi import APIRouter, Request, Response

from services.auth.dependencies import AuthResources, origin_of, resources_of
from services.auth.domain.clients import presented_client
from services.auth.domain.oauth_errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidClient,
    InvalidGrant,
    InvalidOAuthRequest,
    InvalidScope,
    InvalidTarget,
    SlowDown,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from services.auth.domain.problems import TooManyClientAttempts
from services.auth.domain.token_exchange import ACCESS_TOKEN_TYPE, API_KEY_TYPE, JWT_TYPE
from services.auth.routes.form_documentation import form_body
from services.auth.routes.oauth_errors import NO_STORE, PREFIX, OAuthRoute, oauth_responses
from services.auth.routes.receipts import receipt_of, with_receipt
from services.auth.routes.token_grants import GRANT_TYPES, GrantRequest, TokenResponse, answer_grant, needed
from shared.errors import PayloadTooLarge, Unavailable
from shared.web.forms import read_form

router = APIRouter(prefix=PREFIX, tags=["oauth2"], route_class=OAuthRoute)


@router.post(
    "/token",
    summary="Get tokens",
    response_model_exclude_none=True,
    responses=oauth_responses(
        InvalidOAuthRequest,
        InvalidGrant,
        InvalidScope,
        InvalidTarget,
        UnauthorizedClient,
        UnsupportedGrantType,
        AuthorizationPending,
        SlowDown,
        ExpiredToken,
        AccessDenied,
        InvalidClient,
        PayloadTooLarge,
        TooManyClientAttempts,
        Unavailable,
    ),
    openapi_extra=form_body(
        {
            "grant_type": {"type": "string", "enum": list(GRANT_TYPES)},
            "code": {"type": "string", "description": "For the grant authorization_code."},
            "redirect_uri": {
                "type": "string",
                "description": "For the grant authorization_code: the one of the authorization request.",
            },
            "code_verifier": {"type": "string", "description": "For the grant authorization_code (PKCE)."},
            "device_code": {"type": "string", "description": "For the grant device_code (RFC 8628)."},
            "refresh_token": {"type": "string", "description": "For the grant refresh_token."},
            "subject_token": {"type": "string", "description": "For token exchange: an API key, or an access token."},
            "subject_token_type": {"type": "string", "examples": [API_KEY_TYPE, ACCESS_TOKEN_TYPE, JWT_TYPE]},
            "requested_token_type": {"type": "string", "examples": [ACCESS_TOKEN_TYPE, JWT_TYPE]},
            "audience": {"type": "string", "description": "For token exchange: the service that is to be called."},
            "actor_token": {"type": "string", "description": "For token exchange: this client's own token."},
            "actor_token_type": {"type": "string", "examples": [ACCESS_TOKEN_TYPE, JWT_TYPE]},
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
async def token(request: Request, response: Response) -> TokenResponse:
    """`authorization_code` begins a session of the client with the code that its user has brought, and PKCE's verifier.

    A code is good once and for a minute; used again it ends the session that it began.

    `urn:ietf:params:oauth:grant-type:device_code` does the same for a device, once its user has let it in.

    `client_credentials` gives a program a token of its own.

    `refresh_token` gives a session its next tokens. Each refresh token is good once; sent again within ten seconds it
    gives the same successor, sent again later it ends the session. No client authentication is needed for a session of
    `/api/login`.

    Token exchange (RFC 8693) gives an access token for an API key, without a client if need be; and a client that was
    shown a token of a user a narrower one, to call another service with. Neither reaches further or longer than what it
    was made from, and what ends that ends the new token too.
    """
    response.headers.update(NO_STORE)
    form = await read_form(request)
    client = presented_client(request.headers.get("authorization"), form)
    return await answer_grant(resources_of(request), GrantRequest(client, form, origin_of(request)))


@router.post(
    "/revoke",
    summary="Revoke a token (RFC 7009)",
    response_class=Response,
    responses=with_receipt(200, "It is revoked, or was no token of ours")
    | oauth_responses(
        InvalidOAuthRequest, InvalidGrant, InvalidClient, PayloadTooLarge, TooManyClientAttempts, Unavailable
    ),
    openapi_extra=form_body(
        {
            "token": {"type": "string"},
            "token_type_hint": {"type": "string", "description": "Not needed: each looks different."},
        },
        ["token"],
        {"token": "eyJhbGciOi…"},
    ),
)
async def revoke(request: Request, resources: AuthResources) -> Response:
    """An access token is revoked by itself, a refresh token with its session, an API key with all that it gave.

    It holds at every service. A token is revoked by the client that it was issued to, an API key by whoever has it.

    What is no token of ours is answered 200 as well: there is nothing left to revoke.
    """
    form = await read_form(request)
    client = presented_client(request.headers.get("authorization"), form)
    announced = await resources.tokens.revoke(client, needed(form, "token"))
    return Response(headers=NO_STORE | receipt_of(announced))
