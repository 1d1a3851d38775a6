"""Lives of a worker, each with clients and a clock of its own, whose AWS calls are seen, delayed or cut short."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from services.processor.context_keys import load_context_issuer, load_context_trust
from services.processor.domain.job_names import JobKey
from services.processor.domain.jobs import Job
from services.processor.domain.submissions import Submission
from services.processor.resources import (
    ProcessorFlows,
    Stores,
    WorkerFlows,
    open_stores,
    processor_flows,
    worker_flows,
)
from services.processor.settings import ProcessorSettings
from services.processor.stores.job_callers import JobCallers
from services.processor.stores.work_queue import Delivery, QueueUrl, WorkQueue
from services.processor.worker.consumer import Consumer
from shared import clock
from shared.testing.tokens import TokenFactory
from shared.tokens.claims import Caller, check_claims
from shared.tokens.direct_reads import DirectReads
from shared.tokens.revocation import RevokedSet
from shared.tokens.revocation_keys import TABLE as REVOCATIONS_TABLE
from shared.tokens.revocation_status import RevocationStatus

When: TypeAlias = Literal["before", "after"]


@dataclass(frozen=True)
class Call:
    """One AWS call: `number` from 1, `name` as in `s3.PutObject`, `path` of its URL."""

    number: int
    name: str
    path: str
    request: dict[str, Any]


Handler: TypeAlias = Callable[[When, Call], Coroutine[Any, Any, None] | None]


class Crash(BaseException):
    """The process is dead: nobody catches it, and not one more call leaves it."""


@dataclass
class Calls:
    """The AWS calls of one life, in order: `dynamodb.UpdateItem`. `handler` is told of each, and may raise or wait."""

    seen: list[str] = field(default_factory=list)
    handler: Handler | None = None
    dead: bool = False

    def watch(self, stores: Stores) -> None:
        clients: list[Any] = [
            stores.dynamodb,
            stores.s3,
            stores.queue.sqs,
            *([stores.bus.events] if stores.bus else []),
        ]
        for client in clients:
            service = client.meta.service_model.service_id.hyphenize()
            client.meta.events.register(f"before-call.{service}", self._before)
            client.meta.events.register(f"after-call.{service}", self._after)

    async def _before(self, event_name: str, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if self.dead:
            raise Crash
        self.seen.append(event_name.removeprefix("before-call."))
        call = context["call"] = Call(len(self.seen), self.seen[-1], params.get("url_path", ""), params)
        await self._tell("before", call)

    async def _after(self, context: dict[str, Any], **_: object) -> None:
        await self._tell("after", context["call"])

    async def _tell(self, when: When, call: "Call") -> None:
        answer = self.handler(when, call) if self.handler else None
        if inspect.isawaitable(answer):
            await answer

    def crash_at(self, number: int, when: When) -> None:
        """Die around the call of this number, counted from 1."""

        def die(moment: When, call: Call) -> None:
            if moment == when and call.number == number:
                self.dead = True
                raise Crash

        self.handler = die

    def die_around(self, name: str, when: When) -> None:
        """Die around the next call of this name."""

        def die(moment: When, call: Call) -> None:
            if moment == when and call.name == name:
                self.dead = True
                raise Crash

        self.handler = die


class Stall:
    """Holds one call of a life until it is let go."""

    def __init__(self, name: str, path_part: str = "", *, nth: int = 1) -> None:
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()
        self._name, self._path_part, self._left = name, path_part, nth

    async def __call__(self, when: When, call: Call) -> None:
        if when == "before" and call.name == self._name and self._path_part in call.path:
            self._left -= 1
            if self._left == 0:
                self.reached.set()
                await self.let_go.wait()


@dataclass
class Heard:
    """What a life has heard of revocations: nothing and just now, if a test does not say otherwise."""

    revoked: RevokedSet = field(default_factory=RevokedSet)
    age_seconds: float = 0

    def staleness(self, now_monotonic: float) -> float:
        return self.age_seconds


@dataclass
class Life:
    """A process that takes jobs and works on them, one message at a time. `ahead_seconds` is its clock's lead."""

    settings: ProcessorSettings
    stores: Stores
    calls: Calls
    direct: DirectReads
    ahead_seconds: float = 0
    heard: Heard = field(default_factory=Heard)

    async def reborn(self, queue_name: str) -> None:
        """A new life with another queue: nothing of the one before is remembered, nor any message of it."""
        sqs = self.stores.queue.sqs
        self.calls.dead, self.calls.handler, self.ahead_seconds = False, None, 0
        await sqs.create_queue(QueueName=queue_name)
        dead_letters = self.stores.queue.dead_letter_url
        self.stores = replace(self.stores, queue=WorkQueue(sqs, QueueUrl(sqs, queue_name), dead_letters))
        await self.stores.queue.depth()
        self.calls.seen.clear()

    def now(self) -> float:
        return clock.now() + self.ahead_seconds

    @property
    def as_processor(self) -> ProcessorFlows:
        return processor_flows(
            self.stores, self.settings, load_context_issuer(self.settings), self._callers(), self.now
        )

    @property
    def as_worker(self) -> WorkerFlows:
        return worker_flows(self.stores, self.settings, self._callers(), self.now)

    def _callers(self) -> JobCallers:
        bound = self.settings.revocation_max_staleness_seconds
        status = RevocationStatus(self.heard, self.direct, max_staleness_seconds=bound)
        return JobCallers(load_context_trust(self.settings), status, self.now)

    @property
    def consumer(self) -> Consumer:
        return Consumer(self.stores.queue, self.as_worker, self.settings, draining=lambda: False)

    async def submit(
        self, owner: str, processing_id: str, data_source: object, config: dict[str, object], **claims: object
    ) -> Job:
        """As the caller whose token was issued just now, or says what `claims` do."""
        submission = Submission(processing_id, None, None, data_source, config)
        caller = caller_of(owner, int(self.now()), **claims)
        return await self.as_processor.submit_job(caller, submission, wait_seconds=0, no_more=_forever)

    async def work_once(self, *, wait_seconds: int = 0) -> int:
        """Take what the queue gives, and do it; the number of messages."""
        deliveries = await self.stores.queue.receive(
            most=10, wait_seconds=wait_seconds, visibility_seconds=self.settings.lease_seconds
        )
        consumer = self.consumer
        for delivery in deliveries:
            await consumer._handle(delivery)
        return len(deliveries)

    async def sweep(self) -> int:
        return await self.as_worker.sweep_jobs()

    async def publish(self) -> int:
        """Tell of the jobs that have ended; how many were told of."""
        publish_events = self.as_worker.publish_events
        assert publish_events is not None
        return await publish_events()

    async def finish(self, key: JobKey) -> Job:
        """Bring a job to its end although every message of it may be lost and every lease still be held."""
        for _ in range(5):
            self.ahead_seconds += 1000
            await self.sweep()
            while await self.work_once():
                pass
            job = await self.stores.jobs.get(key)
            if job is not None and job.outcome is not None:
                return job
        raise AssertionError(f"{key} does not end")


@asynccontextmanager
async def life(settings: ProcessorSettings) -> AsyncIterator[Life]:
    async with open_stores(settings) as stores:
        calls = Calls()
        calls.watch(stores)
        table = settings.table_prefix + REVOCATIONS_TABLE
        direct = DirectReads(stores.dynamodb, table, timeout_seconds=settings.revocation_read_timeout_seconds)
        try:
            yield Life(settings, stores, calls, direct)
        finally:
            await direct.stop()


def caller_of(owner: str, issued: int, **claims: object) -> Caller:
    """Somebody who has logged in at that second; `claims` say what is different."""
    tokens = TokenFactory(alg="ES256")
    payload = tokens.claims(**{"sub": owner, "iat": issued, "exp": issued + 900, **claims})
    return Caller(check_claims(payload, tokens.policy, issued, kid="key_1"))


async def submit_test_job(one: Life, owner: str) -> Delivery:
    """A small job named "job"; gives its message, taken from the queue."""
    await one.submit(owner, "job", "test", {"stamp": False})
    return await take(one)


async def take(one: Life, *, visibility_seconds: int = 600) -> Delivery:
    [delivery] = await one.stores.queue.receive(most=1, wait_seconds=1, visibility_seconds=visibility_seconds)
    return delivery


async def until_dead(work: Coroutine[Any, Any, object]) -> bool:
    """Let it run; whether it died on the way."""
    try:
        await work
    except Crash:
        return True
    except BaseExceptionGroup as group:
        if group.subgroup(Crash) is None:
            raise
        return True
    return False


async def _forever() -> bool:
    await asyncio.sleep(0)
    return False
