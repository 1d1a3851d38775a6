"""Bearer tokens (RFC 6750): a route says which scope it needs, and is only reached by a caller who has it.

The token is looked at before FastAPI reads the body or resolves a dependency: that is the cheapest place, and
a stranger costs us nothing more. A router that needs callers is `APIRouter(route_class=SecuredRoute)`, a route on it
says `openapi_extra=requires("jobs:read")`, and its function gets the caller by `caller_of(request)`.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from shared.errors import Forbidden, InvalidRequest, Problem
from shared.telemetry.context import bind
from shared.telemetry.logs import get_logger
from shared.tokens.claims import InvalidToken
from shared.tokens.verifier import Caller, Verifier
from shared.web.json_bodies import JsonRoute

SCHEME = "bearer"
_CALLER = "mayfly.caller"
log = get_logger(__name__)


class Unauthorized(Problem):
    """There is no access token, or it is not good: `WWW-Authenticate` says why."""

    code, status, title = "unauthorized", 401, "A valid access token is needed"


class InsufficientScope(Forbidden):
    """The token is good, but lacks a scope that the route needs: `WWW-Authenticate` names it."""

    code, title = "insufficient-scope", "The access token does not reach that far"


def requires(*scopes: str) -> dict[str, Any]:
    """The `openapi_extra=` of a route that needs an access token with all of these scopes (none: any valid token)."""
    return {"security": [{SCHEME: list(scopes)}]}


def caller_of(request: Request) -> Caller:
    """Whose token was verified for this request; only on a `SecuredRoute`."""
    caller: Caller = request.scope[_CALLER]
    return caller


async def verify_again(request: Request) -> None:
    """Whether the caller's token is good still: for answers that last. Asks nobody while what is known is fresh.

    Raises:
        InvalidToken: it has expired, or was revoked meanwhile.
        Unavailable: it is not known now.
    """
    await request.app.state.verifier.verify(_bearer_token(request))


class SecuredRoute(JsonRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        needed = frozenset(self.openapi_extra["security"][0][SCHEME]) if self.openapi_extra else frozenset()

        async def verify_then_handle(request: Request) -> Response:
            verifier: Verifier = request.app.state.verifier
            try:
                caller = await verifier.verify(_bearer_token(request))
                if not needed <= caller.scope:
                    raise _lacking(needed, caller)
                bind(caller=caller.user_id)
                request.scope[_CALLER] = caller
                return await handle(request)
            except InvalidToken as error:  # or it was revoked while the request was handled
                raise _not_valid(error) from None

        return verify_then_handle


def _not_valid(error: InvalidToken) -> Unauthorized:
    log.info("token_refused", reason=error.reason)
    description = f"the access token is not valid: {error.reason}"
    return Unauthorized(
        f"{description[0].upper()}{description[1:]}. Log in again at auth.",
        headers={"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{description}"'},
    )


def _lacking(needed: frozenset[str], caller: Caller) -> InsufficientScope:
    scope = " ".join(sorted(needed))
    log.info("token_refused", reason="insufficient-scope", needed=scope, caller=caller.user_id)
    return InsufficientScope(
        f"This needs the scope {scope}.",
        headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
    )


def _bearer_token(request: Request) -> str:
    values = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if len(values) > 1:
        raise InvalidRequest(
            "There is more than one Authorization header. Send one.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_request"'},
        )
    scheme, _, token = values[0].strip(b" \t").decode("latin-1").partition(" ") if values else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized(
            "Send the header `Authorization: Bearer <token>`; POST /api/login at auth gives a token.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return token
