"""The application, and what it needs to be ready."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from services.auth.resources import Resources, open_resources
from services.auth.routes import (
    admin,
    admin_keys,
    api_keys,
    audit,
    authorize,
    clients,
    device,
    introspection,
    login,
    me,
    oauth,
    sessions,
    status_lists,
    users,
    well_known,
)
from services.auth.routes.cross_origin import CrossOrigin
from services.auth.routes.oauth_errors import OAuthShape
from services.auth.settings import AuthSettings
from services.auth.signing_keys import load_static_keys
from shared import clock
from shared.clients.redis import redis_errors
from shared.errors import Unavailable
from shared.settings import load
from shared.tokens.revocation import Target
from shared.web.app import new_app
from shared.web.health import ReadinessCheck

_DESCRIPTION = """
Logs people and programs in, gives them access tokens (RFC 9068) that others verify offline, and revokes them so that it
holds everywhere within `revocation_max_staleness` seconds (see `/.well-known/oauth-authorization-server`).

Press *Authorize*: log in by the page, or put in the `token` of `POST /api/login`.
"""

_ROUTERS = (
    login,
    oauth,
    introspection,
    authorize,
    device,
    me,
    users,
    sessions,
    api_keys,
    clients,
    admin,
    audit,
    status_lists,
    admin_keys,
    well_known,
)


def create_app(settings: AuthSettings | None = None) -> FastAPI:
    """An auth; nothing is opened before its lifespan begins.

    Raises:
        SettingsError: a setting is missing or wrong, a key among them.
    """
    settings = settings or load(AuthSettings)
    static_keys = load_static_keys(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings, static_keys) as resources:
            app.state.resources = resources
            app.state.verifier = resources.verifier
            app.state.readiness_checks = readiness_checks(resources)
            yield

    app = new_app(
        title="Mayfly auth",
        version=version("mayfly-auth"),
        summary="Issues tokens, and revokes them.",
        description=_DESCRIPTION,
        settings=settings,
        lifespan=lifespan,
        routers=[module.router for module in _ROUTERS],
    )
    app.add_middleware(OAuthShape)
    app.add_middleware(CrossOrigin, origins=settings.allowed_origins)
    return app


def readiness_checks(resources: Resources) -> list[ReadinessCheck]:
    """What must work for this instance to be sent requests."""

    async def keys() -> str:
        return f"{resources.keys.active.alg}, {len(resources.keys.jwks['keys'])} published"

    async def revocations() -> str:
        staleness = resources.backends.feed.staleness(clock.monotonic())
        if staleness <= resources.settings.revocation_max_staleness_seconds:
            return f"heard {staleness:.1f} s ago"
        await resources.backends.direct_reads.read([Target("jti", "readiness")])
        return "not heard of lately, read from DynamoDB instead"

    async def dynamodb() -> str:
        await resources.parts.users.get("readiness")
        return "answers"

    async def redis() -> str:
        # Without it logins are answered 503. All else works, so the instance stays: every other one would say the same.
        try:
            with redis_errors():
                await resources.backends.redis.ping()
        except Unavailable:
            return "does not answer: no logins"
        return "answers"

    return [ReadinessCheck(check.__name__, check) for check in (keys, revocations, dynamodb, redis)]
