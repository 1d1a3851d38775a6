"""Who am I?"""

from fastapi import APIRouter

from services.auth.dependencies import VerifiedCaller
from services.auth.schemas import MeResponse
from shared.errors import InvalidRequest
from shared.tokens.revocation_status import RevocationUnknown
from shared.web.bearer import SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(tags=["me"], route_class=SecuredRoute)


@router.get(
    "/api/me",
    summary="Whose token this is",
    openapi_extra=requires(),
    responses=problem_responses(InvalidRequest, Unauthorized, RevocationUnknown),
)
async def me(caller: VerifiedCaller) -> MeResponse:
    """What the access token says; nothing is looked up."""
    return MeResponse.of(caller)
