"""RFC 7662's introspection endpoint."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.auth.dependencies import AuthResources
from services.auth.domain.clients import presented_client
from services.auth.domain.oauth_errors import InvalidClient, InvalidOAuthRequest
from services.auth.domain.problems import TooManyClientAttempts, TooManyIntrospections
from services.auth.routes.form_documentation import form_body
from services.auth.routes.oauth_errors import NO_STORE, PREFIX, OAuthRoute, oauth_responses
from services.auth.routes.token_grants import needed
from shared.errors import PayloadTooLarge, Unavailable
from shared.web.forms import read_form

router = APIRouter(prefix=PREFIX, tags=["oauth2"], route_class=OAuthRoute)

_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": 'What the token says, or `{"active": false}` and nothing more.',
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["active"],
                    "properties": {
                        "active": {"type": "boolean"},
                        "scope": {"type": "string"},
                        "client_id": {"type": "string"},
                        "username": {"type": ["string", "null"]},
                        "token_type": {"type": "string", "description": "Of access tokens."},
                        "exp": {"type": "integer"},
                        "iat": {"type": "integer"},
                        "nbf": {"type": "integer"},
                        "sub": {"type": "string"},
                        "aud": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                        "iss": {"type": "string"},
                        "jti": {"type": "string"},
                        "sid": {"type": "string", "description": "The session, or the API key."},
                        "act": {"type": "object", "description": "Who acts, of an exchanged token (RFC 8693)."},
                    },
                    "example": {"active": True, "sub": "user_testuser", "scope": "jobs:read", "exp": 1795560144},
                }
            }
        },
    }
}


@router.post(
    "/introspect",
    summary="Ask whether a token is good (RFC 7662)",
    response_class=JSONResponse,
    responses=_ANSWER
    | oauth_responses(
        InvalidOAuthRequest, InvalidClient, PayloadTooLarge, TooManyClientAttempts, TooManyIntrospections, Unavailable
    ),
    openapi_extra=form_body(
        {
            "token": {"type": "string", "description": "An access token, a refresh token or an API key."},
            "token_type_hint": {"type": "string", "description": "Not needed: each looks different."},
        },
        ["token"],
        {"token": "eyJhbGciOi…", "client_id": "demo-service", "client_secret": "demo-service-secret-local-only"},
    ),
)
async def introspect(request: Request, resources: AuthResources) -> JSONResponse:
    """For confidential clients, each with its share of requests a second.

    A client is told of the tokens that are its own and of those that were made for it; one that is registered with
    `may_introspect` of all. What is unknown, expired, revoked or another's is not active.

    An access token is better verified by its signature and the revocation feed: that asks nobody.
    """
    form = await read_form(request)
    client = presented_client(request.headers.get("authorization"), form)
    members = await resources.tokens.introspect(client, needed(form, "token"))
    return JSONResponse(dict(members), headers=NO_STORE)
