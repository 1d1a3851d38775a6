"""Users: what administrators do with them, and what they do with themselves."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response, status

from services.auth.dependencies import AuthResources, LoggedInUser, RequestOrigin, VerifiedCaller
from services.auth.domain.own_login import LoginNeeded
from services.auth.domain.problems import (
    AdminNeeded,
    LastAdmin,
    NotAnnounced,
    SessionsNotEnded,
    TooManyAttempts,
    TooManyLogins,
    UserChangedMeanwhile,
    UsernameTaken,
    UserNotFound,
    WrongPassword,
)
from services.auth.domain.users import ADMIN_SCOPE
from services.auth.routes.receipts import receipt_of, with_receipt
from services.auth.routes.user_bodies import (
    PasswordChangeRequest,
    UserChangeRequest,
    UserRequest,
    UserResponse,
    UsersResponse,
)
from services.auth.schemas import RevocationResponse
from shared.errors import InvalidRequest, PayloadTooLarge, Unavailable, ValidationFailed
from shared.tokens.revocation_status import RevocationUnknown
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(tags=["users"], route_class=SecuredRoute)
UserId = Annotated[str, Path(examples=["user_mfrggzdfmztwq2lknnwg23tpob"])]

_ALWAYS = (InvalidRequest, Unauthorized, Unavailable, RevocationUnknown)


@router.post(
    "/api/users",
    summary="Make a user",
    status_code=status.HTTP_201_CREATED,
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(
        *_ALWAYS, InsufficientScope, UsernameTaken, PayloadTooLarge, ValidationFailed, TooManyLogins
    ),
)
async def create_user(
    body: UserRequest, caller: VerifiedCaller, resources: AuthResources, response: Response
) -> UserResponse:
    """The name can't be changed afterwards; names that people take for the same are the same."""
    user = await resources.users.create(caller, body.new_user)
    response.headers["Location"] = f"/api/users/{user.user_id}"
    return UserResponse.of(user)


@router.get(
    "/api/users",
    summary="List the users",
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(*_ALWAYS, InsufficientScope, ValidationFailed),
)
async def list_users(
    resources: AuthResources,
    username: Annotated[
        str | None, Query(min_length=1, max_length=128, description="Only the user of this name.", examples=["ada"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="The most users in the answer.")] = 50,
    cursor: Annotated[str | None, Query(max_length=2000, description="The `next_cursor` of the answer before.")] = None,
) -> UsersResponse:
    """In no order that means anything. A page may be short while there is a `next_cursor`."""
    users, next_cursor = await resources.users.list(most=limit, raw_cursor=cursor, raw_username=username)
    return UsersResponse.of(users, next_cursor)


@router.get(
    "/api/users/{user_id}",
    summary="Look at a user",
    openapi_extra=requires(),
    responses=problem_responses(*_ALWAYS, UserNotFound),
)
async def get_user(user_id: UserId, caller: VerifiedCaller, resources: AuthResources) -> UserResponse:
    """Oneself with any token, others with the scope `admin`; without it other users are answered like none."""
    return UserResponse.of(await resources.users.get(caller, user_id))


@router.patch(
    "/api/users/{user_id}",
    summary="Change a user",
    openapi_extra=requires(),
    responses=problem_responses(
        *_ALWAYS,
        LoginNeeded,
        AdminNeeded,
        UserNotFound,
        LastAdmin,
        UserChangedMeanwhile,
        PayloadTooLarge,
        ValidationFailed,
        TooManyLogins,
        NotAnnounced,
    ),
)
async def change_user(
    user_id: UserId, body: UserChangeRequest, caller: VerifiedCaller, resources: AuthResources
) -> UserResponse:
    """What is left out stays. Without the scope `admin`: only oneself, by one's own login, and only `display_name`.

    `disabled: true`, a new `password`, and `roles` or `permissions` that do not only add something end every session
    and token that the user has, at every service. After a 503 the same request again does what is left to do.
    """
    return UserResponse.of(await resources.users.change(caller, user_id, body.change))


@router.delete(
    "/api/users/{user_id}",
    summary="Delete a user and end all that they have",
    status_code=status.HTTP_204_NO_CONTENT,
    openapi_extra=requires(ADMIN_SCOPE),
    responses=with_receipt(204, "The user is gone")
    | problem_responses(*_ALWAYS, InsufficientScope, UserNotFound, LastAdmin, UserChangedMeanwhile, NotAnnounced),
)
async def delete_user(user_id: UserId, caller: VerifiedCaller, resources: AuthResources, response: Response) -> None:
    """Every session and token of the user stops working, at every service. Jobs and results stay.

    After a 503 the user is still there, disabled at most: delete it again.
    """
    response.headers.update(receipt_of(await resources.users.delete(caller, user_id)))


@router.post(
    "/api/users/{user_id}/revoke",
    summary="End every session and token of a user",
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(*_ALWAYS, InsufficientScope, UserNotFound, NotAnnounced),
)
async def revoke_user(user_id: UserId, caller: VerifiedCaller, resources: AuthResources) -> RevocationResponse:
    """200 means that it is stored and was announced. The user can log in again; `disabled: true` prevents that."""
    return RevocationResponse.of(await resources.users.revoke(caller, user_id))


@router.post(
    "/api/me/password",
    summary="Change my password",
    status_code=status.HTTP_204_NO_CONTENT,
    openapi_extra=requires(),
    responses=problem_responses(
        *_ALWAYS,
        LoginNeeded,
        WrongPassword,
        UserChangedMeanwhile,
        PayloadTooLarge,
        ValidationFailed,
        TooManyAttempts,
        TooManyLogins,
        SessionsNotEnded,
        NotAnnounced,
    ),
)
async def change_password(
    body: PasswordChangeRequest, caller: LoggedInUser, origin: RequestOrigin, resources: AuthResources
) -> None:
    """All sessions but this one end, at every service. Tries of the present password are counted as logins are.

    API keys stay; they are ended one by one.
    """
    await resources.users.change_password(caller, body.change, origin)
