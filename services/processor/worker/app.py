"""The worker: a consumer and a sweeper behind a small HTTP service, which answers for its health and metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from services.processor.context_keys import load_context_trust
from services.processor.repeating import repeat
from services.processor.resources import open_stores, worker_flows
from services.processor.revocations import open_revocations
from services.processor.settings import ProcessorSettings
from services.processor.stores.job_callers import JobCallers
from services.processor.worker.consumer import Consumer
from shared import clock
from shared.background import end
from shared.web.app import new_app
from shared.web.health import ReadinessCheck


def create_app(settings: ProcessorSettings) -> FastAPI:
    """Works from the start of its lifespan to its end, where it stops in the way that loses no time for others.

    Raises:
        SettingsError: there is no key for the contexts of jobs, or it is none for this.
    """
    trust = load_context_trust(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            open_stores(settings, s3_read_seconds=20, long_poll_seconds=settings.long_poll_seconds) as stores,
            open_revocations(settings, stores.dynamodb) as revocations,
        ):
            flows = worker_flows(stores, settings, JobCallers(trust, revocations.status, clock.now))
            consumer = Consumer(stores.queue, flows, settings, draining=lambda: app.state.draining)
            app.state.readiness_checks = (
                *stores.checks(),
                revocations.readiness(),
                ReadinessCheck("consumer", consumer.check),
            )
            consumer.start()
            beside = [asyncio.create_task(repeat("sweep", flows.sweep_jobs, settings.sweep_interval_seconds))]
            if flows.publish_events:
                told = repeat("events", flows.publish_events, settings.event_interval_seconds)
                beside.append(asyncio.create_task(told))
            try:
                yield
            finally:
                await end(*beside)
                await consumer.stop(settings.shutdown_deadline_seconds)

    return new_app(
        title="Mayfly worker",
        version=version("mayfly-processor"),
        summary="Takes jobs from the queue and runs them.",
        description="Health and metrics; jobs come by SQS.",
        settings=settings,
        lifespan=lifespan,
        routers=(),
    )
