"""How both services make their FastAPI application."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI

from shared.settings import SharedSettings
from shared.web import docs, health
from shared.web.edge import Edge
from shared.web.problems import install_problem_handlers


def new_app(
    *,
    title: str,
    version: str,
    summary: str,
    description: str,
    settings: SharedSettings,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    routers: Sequence[APIRouter],
) -> FastAPI:
    """An application with problems, limits, ids, metrics, health and docs in place; nothing is opened yet.

    The lifespan must set `app.state.verifier` (a `Verifier`) and `app.state.readiness_checks`.
    """
    app = FastAPI(
        title=title,
        version=version,
        summary=summary,
        description=description,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # Else `DELETE /api/sessions/`, with an id left out, would lead clients to `DELETE /api/sessions`: all of them.
        redirect_slashes=False,
    )
    app.state.draining = False
    app.state.readiness_checks = ()
    install_problem_handlers(app)
    app.add_middleware(Edge, max_body_bytes=settings.max_body_bytes, body_timeout_seconds=settings.body_timeout_seconds)
    for router in (*routers, health.router, docs.router):
        app.include_router(router)
    docs.install_openapi(app, settings.issuer)
    return app
