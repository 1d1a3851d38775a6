"""The worker: a consumer and a sweeper behind a small HTTP service, which answers for its health and metrics."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from services.processor.flows.sweep_jobs import SweepJobs
from services.processor.resources import open_stores, worker_flows
from services.processor.settings import ProcessorSettings
from services.processor.worker.consumer import Consumer
from shared.background import end
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.web.app import new_app
from shared.web.health import ReadinessCheck

log = get_logger(__name__)


def create_app(settings: ProcessorSettings) -> FastAPI:
    """Works from the start of its lifespan to its end, where it stops in the way that loses no time for others."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_stores(settings, s3_read_seconds=20, long_poll_seconds=settings.long_poll_seconds) as stores:
            flows = worker_flows(stores, settings)
            consumer = Consumer(stores.queue, flows, settings, draining=lambda: app.state.draining)
            app.state.readiness_checks = (*stores.checks(), ReadinessCheck("consumer", consumer.check))
            consumer.start()
            sweeping = asyncio.create_task(_sweep(flows.sweep_jobs, settings))
            try:
                yield
            finally:
                await end(sweeping)
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


async def _sweep(sweep_jobs: SweepJobs, settings: ProcessorSettings) -> None:
    """Now and then, and not in step with the other workers."""
    while True:
        await asyncio.sleep(settings.sweep_interval_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        try:
            await sweep_jobs()
        except Unavailable as error:
            log.warning("sweep_put_off", detail=error.detail)
        except Exception:
            log.exception("sweep_failed")
