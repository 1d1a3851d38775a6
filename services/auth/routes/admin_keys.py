"""The signing keys, for administrators: which there are, the next one now, and this one never more."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Path

from services.auth.dependencies import AuthResources, VerifiedCaller
from services.auth.domain.key_problems import KeyNotFound, KeysNotManaged, TooManyKeysRetiring
from services.auth.domain.problems import NotAnnounced
from services.auth.domain.users import ADMIN_SCOPE
from services.auth.routes.key_bodies import DistrustResponse, KeysResponse
from shared.errors import InvalidRequest, Unavailable, ValidationFailed
from shared.tokens.revocation_status import RevocationUnknown
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api/admin/keys", tags=["admin"], route_class=SecuredRoute)
KeyId: TypeAlias = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,128}$", examples=["NzbLsXh8uDCcd-6MNwXF4W_7noWX"])]
_USUAL = (InvalidRequest, Unauthorized, InsufficientScope, Unavailable, RevocationUnknown)


@router.get(
    "",
    summary="The signing keys",
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(*_USUAL),
)
async def keys(resources: AuthResources) -> KeysResponse:
    """Their names, states and times, never a key itself."""
    return KeysResponse.of(await resources.key_ring.list())


@router.post(
    "/rotate",
    summary="Have the next key sign",
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(*_USUAL, KeysNotManaged, TooManyKeysRetiring),
)
async def rotate(caller: VerifiedCaller, resources: AuthResources) -> KeysResponse:
    """The next key signs at once, or, if it is too new for every verifier to have it, as of its `signs_from`.

    No token is refused by that: the old key stays published until the last token that it signed has expired.
    """
    return KeysResponse.of(await resources.key_ring.rotate(caller))


@router.post(
    "/{kid}/distrust",
    summary="Refuse whatever this key has signed",
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(*_USUAL, KeyNotFound, KeysNotManaged, ValidationFailed, NotAnnounced),
)
async def distrust(kid: KeyId, caller: VerifiedCaller, resources: AuthResources) -> DistrustResponse:
    """For a key that was stolen: it is published no more, the next one signs, and its tokens are refused everywhere.

    That is so within the published bound, for the token that asks here too, if that key signed it. Sessions go on: a
    refresh gives a good token.
    """
    return DistrustResponse.of(await resources.key_ring.distrust(caller, kid))
