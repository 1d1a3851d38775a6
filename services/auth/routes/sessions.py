"""A user's own sessions."""

from fastapi import APIRouter, Response, status

from services.auth.dependencies import AuthResources, LoggedInUser
from services.auth.domain.own_login import LoginNeeded
from services.auth.domain.problems import NotAnnounced, SessionNotFound
from services.auth.routes.receipts import receipt_of, with_receipt
from services.auth.schemas import SessionsResponse
from shared.errors import InvalidRequest, Unavailable
from shared.tokens.revocation_status import RevocationUnknown
from shared.web.bearer import SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api/sessions", tags=["sessions"], route_class=SecuredRoute)


@router.get(
    "",
    summary="List my sessions",
    openapi_extra=requires(),
    responses=problem_responses(InvalidRequest, Unauthorized, LoginNeeded, Unavailable, RevocationUnknown),
)
async def list_sessions(caller: LoggedInUser, resources: AuthResources) -> SessionsResponse:
    """Those that have not ended, the newest first, at most 100."""
    return SessionsResponse.of(await resources.sessions.list(caller), caller)


@router.delete(
    "/{session_id}",
    summary="End one of my sessions",
    status_code=status.HTTP_204_NO_CONTENT,
    openapi_extra=requires(),
    responses=with_receipt(204, "It has ended")
    | problem_responses(
        InvalidRequest, Unauthorized, LoginNeeded, SessionNotFound, Unavailable, RevocationUnknown, NotAnnounced
    ),
)
async def end_session(session_id: str, response: Response, caller: LoggedInUser, resources: AuthResources) -> None:
    """Its access tokens and its refresh token stop working, at every service.

    Ending it again is answered 204 too. Another user's session is answered like one that does not exist.
    """
    response.headers.update(receipt_of(await resources.sessions.end(caller, session_id)))


@router.delete(
    "",
    summary="End all my sessions",
    status_code=status.HTTP_204_NO_CONTENT,
    openapi_extra=requires(),
    responses=with_receipt(204, "They have ended")
    | problem_responses(InvalidRequest, Unauthorized, LoginNeeded, Unavailable, RevocationUnknown, NotAnnounced),
)
async def end_all_sessions(response: Response, caller: LoggedInUser, resources: AuthResources) -> None:
    """The one of this token too. A login right afterwards works."""
    response.headers.update(receipt_of(await resources.sessions.end_all(caller)))
