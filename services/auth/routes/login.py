"""Logging in and out."""

from fastapi import APIRouter, Response, status

from services.auth.dependencies import AuthResources, RequestOrigin, VerifiedCaller
from services.auth.domain.problems import InvalidCredentials, JustRevoked, NotAnnounced, TooManyAttempts, TooManyLogins
from services.auth.flows.password_check import Credentials
from services.auth.routes.receipts import receipt_of, with_receipt
from services.auth.schemas import LoginRequest, LoginResponse
from shared.errors import InvalidRequest, PayloadTooLarge, Unavailable
from shared.tokens.revocation_status import RevocationUnknown
from shared.web.bearer import SecuredRoute, Unauthorized, requires
from shared.web.json_bodies import JsonRoute
from shared.web.problems import problem_responses

public = APIRouter(tags=["login"], route_class=JsonRoute)
secured = APIRouter(tags=["login"], route_class=SecuredRoute)


@public.post(
    "/api/login",
    summary="Log in with username and password",
    responses=problem_responses(
        InvalidRequest, InvalidCredentials, PayloadTooLarge, TooManyAttempts, TooManyLogins, Unavailable, JustRevoked
    ),
)
async def login(
    body: LoginRequest, origin: RequestOrigin, resources: AuthResources, response: Response
) -> LoginResponse:
    """Begins a session and answers its first tokens.

    The answer and its time are the same for an unknown user and a wrong password. After some wrong passwords there is
    a delay, which grows to at most a minute (429, `Retry-After`). Without Redis nobody can count tries: 503.
    """
    response.headers["Cache-Control"] = "no-store"
    return LoginResponse.of(await resources.sessions.login(Credentials(body.username, body.password), origin))


@secured.post(
    "/api/logout",
    summary="End the session of this token",
    status_code=status.HTTP_204_NO_CONTENT,
    openapi_extra=requires(),
    responses=with_receipt(204, "It has ended")
    | problem_responses(InvalidRequest, Unauthorized, Unavailable, RevocationUnknown, NotAnnounced),
)
async def logout(response: Response, caller: VerifiedCaller, resources: AuthResources) -> None:
    """Its access tokens and its refresh token stop working, at every service.

    204 means that the end is stored and was announced. 503 with the code `revocation-not-announced`: it is stored, and
    will be announced.
    """
    response.headers.update(receipt_of(await resources.sessions.logout(caller)))


router = APIRouter()
router.include_router(public)
router.include_router(secured)
