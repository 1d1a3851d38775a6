"""What clients and verifiers need to know, for everybody and cacheable."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from services.auth.dependencies import AuthResources
from services.auth.domain.authorization_requests import PROMPTS, RESPONSE_MODE, RESPONSE_TYPE
from services.auth.domain.pkce import METHOD
from services.auth.domain.status_lists import Freshness
from services.auth.domain.users import SCOPES
from services.auth.routes.conditional_get import IfNoneMatch, cacheable
from services.auth.routes.oauth_errors import AUTHORIZE, DEVICE
from services.auth.routes.token_grants import GRANT_TYPES
from services.auth.settings import AuthSettings

router = APIRouter(prefix="/.well-known", tags=["discovery"])
_CLIENT_AUTHENTICATION = ["client_secret_basic", "client_secret_post", "none"]


def _document(
    description: str, schema: Mapping[str, Any], example: Mapping[str, Any]
) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"description": description, "content": {"application/json": {"schema": schema, "example": example}}},
        304: {"description": "It is still the one of `If-None-Match`."},
    }


@router.get(
    "/jwks.json",
    summary="The keys that verify access tokens (RFC 7517)",
    response_class=Response,
    responses=_document(
        "Public keys only. Refresh it by its `Cache-Control`, and when a token names another `kid`.",
        {
            "type": "object",
            "required": ["keys"],
            "properties": {"keys": {"type": "array", "items": {"type": "object"}}},
        },
        {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "NzbLsXh8…", "n": "0vx7ag…", "e": "AQAB"}]},
    ),
)
async def jwks(resources: AuthResources, if_none_match: IfNoneMatch = None) -> Response:
    """A new key stands here for a while before it signs, and stays until the last token that it signed has expired."""
    return _cacheable(resources.keys.jwks, resources.settings.jwks_max_age_seconds, if_none_match)


@router.get(
    "/oauth-authorization-server",
    summary="What this server can do (RFC 8414)",
    response_class=Response,
    responses=_document(
        "The metadata. `revocation_max_staleness` is ours: no service accepts a revoked token longer than this many "
        "seconds after its revocation was answered. `status_list_max_staleness`: the same for readers of status lists.",
        {"type": "object", "required": ["issuer", "response_types_supported"]},
        {"issuer": "http://127.0.0.1:8001", "response_types_supported": ["code"], "revocation_max_staleness": 2.0},
    ),
)
async def metadata(resources: AuthResources, if_none_match: IfNoneMatch = None) -> Response:
    """Endpoints and grants that exist here, and the published bound of revocation."""
    document = server_metadata(resources.settings)
    return _cacheable(document, resources.settings.jwks_max_age_seconds, if_none_match)


@router.get(
    "/openid-configuration",
    summary="The same metadata, where clients of OpenID Connect look for it",
    response_class=Response,
    responses=_document(
        "What `/.well-known/oauth-authorization-server` answers, letter for letter.",
        {"type": "object", "required": ["issuer", "response_types_supported"]},
        {"issuer": "http://127.0.0.1:8001", "response_types_supported": ["code"], "revocation_max_staleness": 2.0},
    ),
)
async def openid_metadata(resources: AuthResources, if_none_match: IfNoneMatch = None) -> Response:
    """For discovery alone: many OAuth clients ask here first.

    This is no OpenID provider: it issues no ID tokens, knows no scope `openid`, and names neither subject types nor
    algorithms of ID tokens.
    """
    document = server_metadata(resources.settings)
    return _cacheable(document, resources.settings.jwks_max_age_seconds, if_none_match)


def server_metadata(settings: AuthSettings) -> dict[str, Any]:
    issuer = settings.issuer
    lists = Freshness(settings.status_list_ttl_seconds, settings.revocation_max_staleness_seconds)
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}{AUTHORIZE}",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "token_endpoint": f"{issuer}/oauth2/token",
        "token_endpoint_auth_methods_supported": _CLIENT_AUTHENTICATION,
        "device_authorization_endpoint": f"{issuer}{DEVICE}_authorization",
        "revocation_endpoint": f"{issuer}/oauth2/revoke",
        "revocation_endpoint_auth_methods_supported": _CLIENT_AUTHENTICATION,
        "introspection_endpoint": f"{issuer}/oauth2/introspect",
        "introspection_endpoint_auth_methods_supported": [name for name in _CLIENT_AUTHENTICATION if name != "none"],
        "grant_types_supported": list(GRANT_TYPES),
        "response_types_supported": [RESPONSE_TYPE],
        "response_modes_supported": [RESPONSE_MODE],
        "prompt_values_supported": list(PROMPTS),
        "code_challenge_methods_supported": [METHOD],
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "scopes_supported": list(SCOPES),
        "revocation_max_staleness": settings.revocation_max_staleness_seconds,
        "status_list_max_staleness": lists.max_staleness_seconds,
    }


def _cacheable(document: Mapping[str, Any], max_age_seconds: int, if_none_match: str | None) -> Response:
    body = json.dumps(document, separators=(",", ":")).encode()
    return cacheable(body, "application/json", max_age_seconds, if_none_match)
