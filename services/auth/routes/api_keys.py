"""A user's own API keys."""

from typing import Annotated

from fastapi import APIRouter, Path, Response, status

from services.auth.dependencies import AuthResources, LoggedInUser
from services.auth.domain.api_key_problems import ApiKeyNotFound, ScopeTooWide, TooManyApiKeys
from services.auth.domain.own_login import LoginNeeded
from services.auth.domain.problems import NotAnnounced
from services.auth.routes.api_key_bodies import ApiKeyRequest, ApiKeysResponse, CreatedApiKeyResponse
from services.auth.routes.receipts import receipt_of, with_receipt
from shared.errors import InvalidRequest, PayloadTooLarge, Unavailable, ValidationFailed
from shared.tokens.revocation_status import RevocationUnknown
from shared.web.bearer import SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api/api-keys", tags=["api keys"], route_class=SecuredRoute)
_ALWAYS = (InvalidRequest, Unauthorized, LoginNeeded, Unavailable, RevocationUnknown)


@router.post(
    "",
    summary="Make an API key",
    status_code=status.HTTP_201_CREATED,
    openapi_extra=requires(),
    responses=problem_responses(*_ALWAYS, ScopeTooWide, TooManyApiKeys, PayloadTooLarge, ValidationFailed),
)
async def create_api_key(
    body: ApiKeyRequest, caller: LoggedInUser, resources: AuthResources, response: Response
) -> CreatedApiKeyResponse:
    """For a program that works for you. It is shown in this answer and never again, and it can't do more than you can.

    At `/oauth2/token` it gives access tokens (token exchange). Only the token of a login makes one.
    """
    created = await resources.api_keys.create(caller, body.name, body.scopes, body.lifetime_seconds)
    response.headers["Cache-Control"] = "no-store"
    return CreatedApiKeyResponse.of_created(created)


@router.get("", summary="List my API keys", openapi_extra=requires(), responses=problem_responses(*_ALWAYS))
async def list_api_keys(caller: LoggedInUser, resources: AuthResources) -> ApiKeysResponse:
    """Those that are good, the newest first; a new one may be missing for a moment."""
    return ApiKeysResponse.of(await resources.api_keys.list(caller))


@router.delete(
    "/{key_id}",
    summary="End one of my API keys",
    status_code=status.HTTP_204_NO_CONTENT,
    openapi_extra=requires(),
    responses=with_receipt(204, "It has ended") | problem_responses(*_ALWAYS, ApiKeyNotFound, NotAnnounced),
)
async def delete_api_key(
    key_id: Annotated[str, Path(examples=["key_mfrggzdfmztwq2lknnwg23tpob"])],
    response: Response,
    caller: LoggedInUser,
    resources: AuthResources,
) -> None:
    """The access tokens that it gave stop working too, at every service.

    Ending it again is answered 204 too. Another user's key is answered like one that does not exist.
    """
    response.headers.update(receipt_of(await resources.api_keys.delete(caller, key_id)))
