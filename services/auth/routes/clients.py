"""What administrators do with clients."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response, status

from services.auth.dependencies import AuthResources, VerifiedCaller
from services.auth.domain.client_problems import (
    ClientChangedMeanwhile,
    ClientIsPublic,
    ClientNotFound,
    ClientSecretNotFound,
    TooManyClientSecrets,
)
from services.auth.domain.problems import NotAnnounced
from services.auth.domain.users import ADMIN_SCOPE
from services.auth.routes.client_bodies import (
    AddedSecretResponse,
    ClientChangeRequest,
    ClientRequest,
    ClientResponse,
    ClientSecretRequest,
    ClientsResponse,
    CreatedClientResponse,
)
from services.auth.routes.receipts import receipt_of, with_receipt
from shared.errors import InvalidRequest, PayloadTooLarge, Unavailable, ValidationFailed
from shared.tokens.revocation_status import RevocationUnknown
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api/clients", tags=["clients"], route_class=SecuredRoute)
ClientId = Annotated[str, Path(examples=["client_mfrggzdfmztwq2lknnwg23tpob"])]

_ALWAYS = (InvalidRequest, Unauthorized, InsufficientScope, Unavailable, RevocationUnknown)


@router.post(
    "",
    summary="Register a client",
    status_code=status.HTTP_201_CREATED,
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(*_ALWAYS, PayloadTooLarge, ValidationFailed),
)
async def create_client(
    body: ClientRequest, caller: VerifiedCaller, resources: AuthResources, response: Response
) -> CreatedClientResponse:
    """Its secret is shown in this answer and never again; what is stored can't be turned back into it."""
    created = await resources.clients.create(caller, body.registration)
    response.headers.update({"Cache-Control": "no-store", "Location": f"/api/clients/{created.client.client_id}"})
    return CreatedClientResponse.of_created(created)


@router.get(
    "",
    summary="List the clients",
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(*_ALWAYS, ValidationFailed),
)
async def list_clients(
    resources: AuthResources,
    limit: Annotated[int, Query(ge=1, le=100, description="The most clients in the answer.")] = 50,
    cursor: Annotated[str | None, Query(max_length=300, description="The `next_cursor` of the answer before.")] = None,
) -> ClientsResponse:
    """In no order that means anything. A page may be short while there is a `next_cursor`."""
    clients, next_cursor = await resources.clients.list(most=limit, raw_cursor=cursor)
    return ClientsResponse.of(clients, next_cursor)


@router.get(
    "/{client_id}",
    summary="Look at a client",
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(*_ALWAYS, ClientNotFound),
)
async def get_client(client_id: ClientId, resources: AuthResources) -> ClientResponse:
    """All but its secrets."""
    return ClientResponse.of(await resources.clients.get(client_id))


@router.patch(
    "/{client_id}",
    summary="Change a client",
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(*_ALWAYS, ClientNotFound, ClientChangedMeanwhile, PayloadTooLarge, ValidationFailed),
)
async def change_client(
    client_id: ClientId, body: ClientChangeRequest, caller: VerifiedCaller, resources: AuthResources
) -> ClientResponse:
    """What is left out stays.

    New tokens follow it within five seconds; those that are out keep what they say until they expire, or until the
    client is revoked (`POST /api/admin/revocations`).
    """
    return ClientResponse.of(await resources.clients.change(caller, client_id, body.members))


@router.delete(
    "/{client_id}",
    summary="Delete a client and end its tokens",
    status_code=status.HTTP_204_NO_CONTENT,
    openapi_extra=requires(ADMIN_SCOPE),
    responses=with_receipt(204, "It is gone")
    | problem_responses(*_ALWAYS, ClientNotFound, ClientChangedMeanwhile, NotAnnounced),
)
async def delete_client(
    client_id: ClientId, caller: VerifiedCaller, resources: AuthResources, response: Response
) -> None:
    """Every access token and every session of it stops working, at every service.

    After a 503 the client is still there, good for nothing: delete it again.
    """
    response.headers.update(receipt_of(await resources.clients.delete(caller, client_id)))


@router.post(
    "/{client_id}/secrets",
    summary="Give a client a new secret",
    status_code=status.HTTP_201_CREATED,
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(
        *_ALWAYS,
        ClientNotFound,
        ClientIsPublic,
        TooManyClientSecrets,
        ClientChangedMeanwhile,
        PayloadTooLarge,
        ValidationFailed,
    ),
)
async def add_client_secret(
    client_id: ClientId,
    caller: VerifiedCaller,
    resources: AuthResources,
    response: Response,
    body: Annotated[ClientSecretRequest, Body(default_factory=ClientSecretRequest)],
) -> AddedSecretResponse:
    """Shown in this answer and never again.

    The secrets that it had stay good for `overlap_seconds`, a day by default; with 0 they end within five seconds.
    """
    added = await resources.clients.add_secret(caller, client_id, body.overlap_seconds)
    response.headers["Cache-Control"] = "no-store"
    return AddedSecretResponse.of_added(added)


@router.delete(
    "/{client_id}/secrets/{secret_id}",
    summary="End a secret of a client",
    status_code=status.HTTP_204_NO_CONTENT,
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(*_ALWAYS, ClientNotFound, ClientSecretNotFound, ClientChangedMeanwhile),
)
async def delete_client_secret(
    client_id: ClientId,
    secret_id: Annotated[str, Path(examples=["sec_mfrggzdfmztwq2lknnwg23tpob"])],
    caller: VerifiedCaller,
    resources: AuthResources,
) -> None:
    """It ends within five seconds. Tokens that it got live until they expire, or until the client is revoked."""
    await resources.clients.delete_secret(caller, client_id, secret_id)
