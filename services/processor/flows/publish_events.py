"""A worker tells others which jobs have ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import Counter, Gauge

from services.processor.domain.job_events import JobEvent
from services.processor.stores.event_bus import MOST_AT_ONCE, EventBus
from services.processor.stores.job_keys import OPEN_SHARDS
from services.processor.stores.outbox import Outbox
from shared import clock
from shared.telemetry.logs import get_logger

TOLD = Counter("mayfly_events_total", "Events about the end of jobs, by whether EventBridge took them.", ["outcome"])
OLDEST = Gauge("mayfly_outbox_oldest_seconds", "Age of the oldest event that had to be told; 0 when there was none.")
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PublishEvents:
    outbox: Outbox
    bus: EventBus
    now: clock.Clock

    async def __call__(self) -> int:
        """Tell what waits in the outbox, and take it out; how many were told.

        At least once: another worker may do the same at this moment, and who dies in between has told what the next
        one tells again, under the same id. What EventBridge does not take waits.

        Raises:
            Unavailable: DynamoDB or EventBridge does not answer; what was not done is done the next time.
        """
        told, oldest = 0, 0.0
        for shard in OPEN_SHARDS:
            async for events in self.outbox.pages(shard, limit=MOST_AT_ONCE):
                oldest = max(oldest, self.now() - events[0].outcome.finished_at_ms / 1000)
                OLDEST.set(oldest)
                told += await self._tell(events)
        OLDEST.set(oldest)
        return told

    async def _tell(self, events: Sequence[JobEvent]) -> int:
        taken = await self.bus.put(events)
        for event in taken:
            await self.outbox.clear(event)
        TOLD.labels("taken").inc(len(taken))
        if refused := len(events) - len(taken):
            TOLD.labels("refused").inc(refused)
            log.warning("events_refused", events=refused)
        return len(taken)
