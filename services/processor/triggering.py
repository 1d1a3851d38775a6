"""What a processor does without being asked: it runs the pipelines that an object or a schedule triggers."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.processor.domain.messages import UnknownMessage
from services.processor.flows.run_triggered import RunTriggered
from services.processor.repeating import repeat
from services.processor.resources import TriggerFlows, work_queue
from services.processor.settings import ProcessorSettings
from services.processor.stores.work_queue import Delivery, WorkQueue
from shared.background import end
from shared.clients.aws import open_sqs
from shared.errors import RateLimited, Unavailable
from shared.telemetry.context import continue_trace, working_on
from shared.telemetry.logs import get_logger

_MOST_AT_ONCE = 10
_VISIBLE_AGAIN_SECONDS = 60
_LONGEST_PAUSE_SECONDS = 900
_AFTER_FAILURE_SECONDS = 1.0
_LOOKED_AFTER_SECONDS = 30
log = get_logger(__name__)


@asynccontextmanager
async def triggering(
    settings: ProcessorSettings, queue_name: str, flows: TriggerFlows, draining: Callable[[], bool]
) -> AsyncIterator[None]:
    """Takes messages and looks after the pipelines, beside what else is done meanwhile."""
    async with open_sqs(settings, long_poll_seconds=settings.long_poll_seconds) as sqs:
        consumer = TriggerConsumer(work_queue(sqs, settings, queue_name), flows.run_triggered, settings, draining)
        beside = (
            asyncio.create_task(consumer.work()),
            asyncio.create_task(repeat("triggers", flows.keep_triggers, _LOOKED_AFTER_SECONDS)),
        )
        try:
            yield
        finally:
            await end(*beside)


@dataclass(frozen=True, slots=True)
class TriggerConsumer:
    queue: WorkQueue
    run_triggered: RunTriggered
    settings: ProcessorSettings
    draining: Callable[[], bool]

    async def work(self) -> None:
        """Until it is cancelled, or drains. What it had taken then comes again."""
        while not self.draining():
            try:
                await self.work_once(wait_seconds=self.settings.long_poll_seconds)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the queue, the processor must outlive it
                log.warning("no_triggers", reason=repr(error))
                await asyncio.sleep(_AFTER_FAILURE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    async def work_once(self, *, wait_seconds: int) -> int:
        """Take what is there; the number of messages."""
        deliveries = await self.queue.receive(
            most=_MOST_AT_ONCE, wait_seconds=wait_seconds, visibility_seconds=_VISIBLE_AGAIN_SECONDS
        )
        for delivery in deliveries:
            with working_on(continue_trace("")):
                await self._handle(delivery)
        return len(deliveries)

    async def _handle(self, delivery: Delivery) -> None:
        try:
            await self.run_triggered(delivery.raw_body)
            await self.queue.done(delivery)
        except UnknownMessage as error:
            log.error("trigger_not_understood", reason=str(error))  # noqa: TRY400 - the trace says nothing more
            await self.queue.bury(delivery, reason=f"not understood: {error}")
        except (RateLimited, Unavailable) as error:
            log.warning("trigger_put_off", detail=error.detail, receives=delivery.receives)
            await self.queue.hide(delivery, seconds=min(2.0**delivery.receives, _LONGEST_PAUSE_SECONDS))
