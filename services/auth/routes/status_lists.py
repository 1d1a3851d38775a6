"""Token Status Lists (draft-ietf-oauth-status-list): what is revoked, for those who verify our tokens elsewhere."""

from fastapi import APIRouter, Response

from services.auth.dependencies import AuthResources
from services.auth.domain.problems import StatusListNotFound
from services.auth.domain.status_lists import MEDIA_TYPE
from services.auth.routes.conditional_get import IfNoneMatch, cacheable
from services.auth.routes.oauth_errors import PREFIX, oauth_responses
from shared.errors import Unavailable

router = APIRouter(prefix=PREFIX, tags=["discovery"])


@router.get(
    "/status-lists/{list_id}",
    summary="Which tokens of a list are revoked (Token Status List)",
    response_class=Response,
    responses={
        200: {
            "description": "A signed JWT, `typ` `statuslist+jwt`. Keep it for its `ttl`, never beyond its `exp`.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": "eyJ0eXAiOiJzdGF0dXNsaXN0K2p3dCIs…"}},
        },
        304: {"description": "It is still the one of `If-None-Match`."},
        **oauth_responses(StatusListNotFound, Unavailable),
    },
)
async def status_list(list_id: str, resources: AuthResources, if_none_match: IfNoneMatch = None) -> Response:
    """A token names its list and its place in it: `status.status_list.uri` and `.idx`. A 1 there: it is revoked.

    The list is compressed by zlib, and its bits count from the least significant of each byte. `503`: what was revoked
    lately can't be known now; go on with the list that you have, until its `exp`.
    """
    published = await resources.status_lists.publish(list_id)
    response = cacheable(
        published.token.encode(), MEDIA_TYPE, resources.status_lists.freshness.max_age_seconds, if_none_match
    )
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
