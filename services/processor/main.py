"""The processor's application."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from services.processor.context_keys import load_context_issuer, load_context_trust
from services.processor.resources import open_stores, processor_flows
from services.processor.routes import events, jobs, pipelines, previews, results, uploads
from services.processor.settings import ProcessorSettings
from services.processor.stores.job_callers import JobCallers
from services.processor.triggering import triggering
from services.processor.trust import open_trust
from shared import clock
from shared.web.app import new_app

_DESCRIPTION = """
Runs declarative pipelines over S3 objects: upload records, submit a job, fetch its result.

Press *Authorize*: log in at auth, or put in a token that it gave you (`POST /api/login`).
Errors are RFC 9457 problem documents that name the field and the remedy.
"""


def create_app(settings: ProcessorSettings) -> FastAPI:
    """Opens its clients when its lifespan begins. Keeps nothing: any instance answers for any job.

    Raises:
        SettingsError: there is no key for the contexts of jobs, or it is none for this.
    """
    contexts, believed = load_context_issuer(settings), load_context_trust(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stores = await stack.enter_async_context(open_stores(settings))
            trust = await stack.enter_async_context(open_trust(settings, stores.dynamodb))
            app.state.settings = settings
            callers = JobCallers(believed, trust.revocations.status, clock.now)
            flows = app.state.flows = processor_flows(stores, settings, contexts, callers)
            app.state.verifier = trust.verifier
            app.state.readiness_checks = (*trust.checks(), *stores.checks())
            if flows.triggers and settings.trigger_queue_name:
                await stack.enter_async_context(
                    triggering(settings, settings.trigger_queue_name, flows.triggers, lambda: app.state.draining)
                )
            yield

    return new_app(
        title="Mayfly processor",
        version=version("mayfly-processor"),
        summary="Runs pipelines over S3 objects.",
        description=_DESCRIPTION.strip(),
        settings=settings,
        lifespan=lifespan,
        routers=(jobs.router, events.router, results.router, pipelines.router, previews.router, uploads.router),
    )
