"""What administrators do."""

from fastapi import APIRouter

from services.auth.dependencies import AuthResources, VerifiedCaller
from services.auth.domain.problems import NotAnnounced
from services.auth.domain.users import ADMIN_SCOPE
from services.auth.schemas import RevocationRequest, RevocationResponse
from shared.errors import InvalidRequest, PayloadTooLarge, Unavailable
from shared.tokens.revocation_status import RevocationUnknown
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(prefix="/api/admin", tags=["admin"], route_class=SecuredRoute)


@router.post(
    "/revocations",
    summary="Revoke a token, a session, a user's, a client's or a key's tokens, or all",
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(
        InvalidRequest,
        Unauthorized,
        InsufficientScope,
        PayloadTooLarge,
        Unavailable,
        RevocationUnknown,
        NotAnnounced,
    ),
)
async def revoke(body: RevocationRequest, caller: VerifiedCaller, resources: AuthResources) -> RevocationResponse:
    """200 means that it is stored and was announced: no service accepts what it ends longer than the published bound.

    A user's or a client's revocation, and that of all, ends every session and token up to now or up to the second
    `not_before`; logging in again is possible. A user's ends the API keys that the user had then, too. A key's ends
    whatever it has signed and will ever sign.
    """
    return RevocationResponse.of(await resources.tokens.revoke_target(caller, body.target, body.second))
