"""The one place that knows how a route gets what it works with."""

from typing import Annotated, TypeAlias

from fastapi import Depends, Request

from services.auth.domain.own_login import must_be_own_login
from services.auth.domain.sessions import Origin
from services.auth.resources import Resources
from shared.tokens.verifier import Caller
from shared.web.bearer import caller_of


def resources_of(request: Request) -> Resources:
    """What `AuthResources` gives, for the busiest route: a dependency costs more there than what it gives."""
    resources: Resources = request.app.state.resources
    return resources


def origin_of(request: Request) -> Origin:
    """What `RequestOrigin` gives, likewise."""
    address = request.client.host if request.client else "unknown"
    return Origin.of(address, request.headers.get("user-agent", ""))


async def _resources(request: Request) -> Resources:
    return resources_of(request)


async def _caller(request: Request) -> Caller:
    return caller_of(request)


async def _user(request: Request) -> Caller:
    caller = caller_of(request)
    must_be_own_login(caller)
    return caller


async def _origin(request: Request) -> Origin:
    return origin_of(request)


AuthResources: TypeAlias = Annotated[Resources, Depends(_resources)]
"""The process's resources; a route calls one flow of them."""

VerifiedCaller: TypeAlias = Annotated[Caller, Depends(_caller)]
"""Whose token was verified; only on a `SecuredRoute`."""

LoggedInUser: TypeAlias = Annotated[Caller, Depends(_user)]
"""The same, by a login of the user's own; others are told so (LoginNeeded)."""

RequestOrigin: TypeAlias = Annotated[Origin, Depends(_origin)]
"""Where the request comes from, as far as trusted proxies tell."""
