"""Takes messages from the queue and lets them be worked on, so many at once."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge, Histogram

from services.processor.domain.job_names import JobNotFound
from services.processor.domain.messages import UnknownMessage, WorkMessage, parse_message
from services.processor.domain.work import Done, Later, Planned, Poisoned, Verdict
from services.processor.resources import WorkerFlows
from services.processor.settings import ProcessorSettings
from services.processor.stores.parts import LeaseLost
from services.processor.stores.work_queue import Delivery, WorkQueue
from shared import clock
from shared.errors import Unavailable
from shared.telemetry.context import continue_trace, working_on
from shared.telemetry.logs import get_logger

MESSAGES = Counter(
    "mayfly_messages_total", "Messages that were worked on, by what became of them.", ["kind", "verdict"]
)
MESSAGE_SECONDS = Histogram("mayfly_message_seconds", "From receipt to verdict.", ["kind"])
OLDEST = Gauge(
    "mayfly_queue_oldest_message_seconds", "Age of the oldest message of the last receive; 0 when none came."
)
_LONGEST_PAUSE_SECONDS = 60
_AFTER_FAILURE_SECONDS = 1.0
log = get_logger(__name__)


@dataclass(slots=True)
class Consumer:
    """`start` it, `stop` it. `draining` says when no more is to be taken."""

    queue: WorkQueue
    flows: WorkerFlows
    settings: ProcessorSettings
    draining: Callable[[], bool]
    _working: set[asyncio.Task[None]] = field(default_factory=set)
    _taking: asyncio.Task[None] | None = None
    _stopping: bool = False

    def start(self) -> None:
        """Begin to take and to work."""
        self._taking = asyncio.create_task(self._take())

    async def check(self) -> str:
        """For readiness: whether messages are taken."""
        if self._taking is None or self._taking.done():
            raise Unavailable("No messages are taken any more. Restart the worker.")
        return f"{len(self._working)} of {self.settings.slots} slots at work"

    async def stop(self, deadline_seconds: float) -> None:
        """Take no more; what is under way may end, until the deadline. Then its leases and messages are given back.

        The poll at SQS is let run to its end: a message that comes by it would else be hidden until its time is up.
        """
        self._stopping = True
        under_way = self._working | ({self._taking} if self._taking else set())
        if under_way:
            await asyncio.wait(under_way, timeout=deadline_seconds)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _take(self) -> None:
        while not self._ends():
            free = self.settings.slots - len(self._working)
            if free <= 0:
                await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
                continue
            for delivery in await self._receive(free):
                if self._ends():
                    await self._settle(delivery, Later(0))
                    continue
                task = asyncio.create_task(self._handle(delivery))
                self._working.add(task)
                task.add_done_callback(self._working.discard)

    def _ends(self) -> bool:
        return self._stopping or self.draining()

    async def _receive(self, free: int) -> list[Delivery]:
        try:
            deliveries = await self.queue.receive(
                most=free,
                wait_seconds=self.settings.long_poll_seconds,
                visibility_seconds=self.settings.lease_seconds,
            )
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the queue, the worker must outlive it
            log.warning("no_messages", reason=repr(error))
            await asyncio.sleep(_AFTER_FAILURE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            return []
        now_ms = clock.now() * 1000
        OLDEST.set(max((now_ms - delivery.sent_at_ms for delivery in deliveries), default=0) / 1000)
        return list(deliveries)

    async def _handle(self, delivery: Delivery) -> None:
        try:
            message = parse_message(delivery.raw_body)
        except UnknownMessage as error:
            log.error("message_not_understood", reason=str(error))  # noqa: TRY400 - the trace says nothing more
            await self._settle(delivery, Poisoned(f"not understood: {error}"))
            return
        trace = continue_trace(message.traceparent)
        with working_on(trace, job_id=message.key.processing_id, caller=message.key.owner):
            started = clock.monotonic()
            verdict = await self._work(message, delivery)
            MESSAGE_SECONDS.labels(message.kind).observe(clock.monotonic() - started)
            MESSAGES.labels(message.kind, type(verdict).__name__.lower()).inc()
            await self._settle(delivery, verdict)

    async def _work(self, message: WorkMessage, delivery: Delivery) -> Verdict:
        try:
            return await self._plan_or_run(message, delivery)
        except asyncio.CancelledError:
            await self._settle(delivery, Later(0))
            raise
        except LeaseLost:
            log.warning("lease_lost")
            return Later(self.settings.lease_seconds)
        except JobNotFound:
            log.warning("job_is_gone")
            return Done()
        except Unavailable as error:
            log.warning("work_put_off", detail=error.detail, receives=delivery.receives)
            if delivery.receives >= self.settings.max_receive_count:
                # SQS would take it for poison, which it is not. While the job is open, the sweeper sends a new one.
                return Done()
        except Exception:
            log.exception("work_failed", receives=delivery.receives)
        pause = min(2.0 ** (delivery.receives - 1), _LONGEST_PAUSE_SECONDS)
        return Later(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret

    async def _plan_or_run(self, message: WorkMessage, delivery: Delivery) -> Verdict:
        if message.part is not None:
            return await self.flows.run_part(message.key, message.part, delivery, None)
        planned = await self.flows.plan_job(message.key, delivery)
        # Who plans a job does its first part too: for most jobs that is all there is, and no message is needed for it.
        return await self.flows.run_part(message.key, 0, delivery, planned) if isinstance(planned, Planned) else planned

    async def _settle(self, delivery: Delivery, verdict: Verdict) -> None:
        try:
            if isinstance(verdict, Done):
                await self.queue.done(delivery)
            elif isinstance(verdict, Later):
                await self.queue.hide(delivery, seconds=verdict.seconds)
            else:
                await self.queue.bury(delivery, reason=verdict.reason)
        except Exception as error:  # noqa: BLE001 - whatever it is: the message comes again, and finds its work done
            log.warning("message_not_settled", reason=repr(error))
