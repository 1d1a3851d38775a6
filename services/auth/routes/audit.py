"""The audit trail, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.auth.dependencies import AuthResources
from services.auth.domain.audit import EventName, Outcome
from services.auth.domain.audit_queries import AuditQuery
from services.auth.domain.users import ADMIN_SCOPE
from services.auth.routes.audit_bodies import AuditResponse, Id, Time, milliseconds
from shared.errors import InvalidRequest, Unavailable, ValidationFailed
from shared.tokens.revocation_status import RevocationUnknown
from shared.web.bearer import InsufficientScope, SecuredRoute, Unauthorized, requires
from shared.web.problems import problem_responses

router = APIRouter(tags=["admin"], route_class=SecuredRoute)

_YEAR_10000_MS = 9_999_999_999_999


@router.get(
    "/api/audit",
    summary="Read the audit trail",
    openapi_extra=requires(ADMIN_SCOPE),
    responses=problem_responses(
        InvalidRequest, Unauthorized, InsufficientScope, Unavailable, RevocationUnknown, ValidationFailed
    ),
)
async def read_audit(  # noqa: PLR0917 - a parameter for each thing that can be asked
    resources: AuthResources,
    user_id: Id = None,
    client_id: Id = None,
    event: EventName | None = None,
    outcome: Outcome | None = None,
    since: Time = None,
    until: Time = None,
    limit: Annotated[int, Query(ge=1, le=100, description="The most entries in the answer.")] = 50,
    cursor: Annotated[str | None, Query(max_length=300, description="The `next_cursor` of the answer before.")] = None,
) -> AuditResponse:
    """Each security decision, the newest first.

    `user_id`: what that user did, and what was done to them. `since` belongs to the range of time, `until` does not.
    Everything that is given must hold. A page may be short, or empty, while there is a `next_cursor`. An event is here
    within a second or so; the log has it at once. After `MAYFLY_AUDIT_KEEP_DAYS` it goes.
    """
    since_ms, until_ms = milliseconds(since, 0), milliseconds(until, _YEAR_10000_MS)
    query = AuditQuery(user_id, client_id, event, outcome, since_ms, until_ms)
    return AuditResponse.of(*await resources.read_audit(query, most=limit, raw_cursor=cursor))
