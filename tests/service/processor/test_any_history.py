"""Whatever happens to a job, and in which order, it has one end, and the bytes of the quiet run.

Hypothesis makes up the histories: two workers and a sweeper whose clocks differ, messages that are lost, doubled or
late, deaths around any AWS call, a worker that sleeps in the midst of its work and wakes up long after, a cancel.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.processor.domain.job_names import JobKey
from services.processor.domain.messages import WorkMessage
from services.processor.domain.outcomes import JobState
from services.processor.domain.results import JobEnded
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Call, Life, When, life, until_dead
from tests.service.processor.test_crashes import CASES, OWNER, Case, put_inputs, result_of

PARTS = 4
_WHO = st.sampled_from(["one", "two"])
_CALL = st.integers(1, 16)
_WHEN: st.SearchStrategy[When] = st.sampled_from(["before", "after"])
_ACTS = st.one_of(
    st.tuples(st.just("submit"), _WHO),
    st.tuples(st.just("work"), _WHO),
    st.tuples(st.just("die"), _WHO, _CALL, _WHEN),
    st.tuples(st.just("sleep"), _WHO, _CALL, _WHEN),
    st.tuples(st.just("wake")),
    st.tuples(st.just("lose"), _WHO),
    st.tuples(st.just("double"), st.sampled_from([None, *range(PARTS)])),
    st.tuples(st.just("clock"), _WHO, st.sampled_from([-5, 0, 3, 100, 1000])),
    st.tuples(st.just("sweep"), _WHO),
    st.tuples(st.just("cancel"), _WHO),
)
_number = count()


@dataclass
class Sleep:
    """The call in which a life sleeps until it is woken."""

    number: int
    moment: When
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, when: When, call: Call) -> None:
        if when == self.moment and call.number == self.number:
            await self.over.wait()


@dataclass
class History:
    """What has happened to one job. A life that sleeps does nothing else until it is woken."""

    key: JobKey
    source: str
    case: Case
    lives: Mapping[str, Life]
    asleep: dict[str, tuple[Sleep, "asyncio.Task[bool]"]] = field(default_factory=dict)
    manifest: bytes | None = None
    submitted: bool = False
    cancelled: bool = False

    async def happen(self, act: tuple[object, ...]) -> None:
        kind, *details = act
        if not (details and details[0] in self.asleep):
            await getattr(self, f"_{kind}")(*details)
        await self.check_the_end_stays()

    async def check_the_end_stays(self) -> None:
        """A manifest that was there once is the one that there will ever be."""
        manifest = await self.lives["observer"].stores.files.manifest(self.key)
        assert self.manifest in {None, manifest}
        self.manifest = manifest

    async def _submit(self, who: str) -> None:
        self.submitted = True
        await self.lives[who].submit(OWNER, self.key.processing_id, self.source, self.case.config)

    async def _work(self, who: str) -> None:
        self._awake(who)
        await self.lives[who].work_once()

    async def _die(self, who: str, number: int, when: When) -> None:
        self._awake(who)
        self.lives[who].calls.crash_at(number, when)
        await until_dead(self.lives[who].work_once())
        self.lives[who].calls.dead = False
        self._awake(who)  # where it did not come that far, it does not die later

    async def _sleep(self, who: str, number: int, when: When) -> None:
        self._awake(who)
        sleep = self.lives[who].calls.handler = Sleep(number, when)
        self.asleep[who] = sleep, asyncio.create_task(until_dead(self.lives[who].work_once()))
        await asyncio.wait([self.asleep[who][1]], timeout=0.2)

    async def _wake(self) -> None:
        for sleep, work in self.asleep.values():
            sleep.over.set()
            await work
        self.asleep.clear()

    async def _lose(self, who: str) -> None:
        queue = self.lives[who].stores.queue
        for delivery in await queue.receive(most=1, wait_seconds=0, visibility_seconds=0):
            await queue.done(delivery)

    async def _double(self, part: int | None) -> None:
        await self.lives["observer"].stores.queue.send(WorkMessage(self.key, part, ""))

    async def _clock(self, who: str, ahead_seconds: float) -> None:
        self.lives[who].ahead_seconds = ahead_seconds

    async def _sweep(self, who: str) -> None:
        self._awake(who)
        await self.lives[who].sweep()

    async def _cancel(self, who: str) -> None:
        self._awake(who)
        if self.submitted:
            one = self.lives[who]
            try:
                await one.as_processor.cancel_job(OWNER, self.key.processing_id)
            except JobEnded:
                return
            self.cancelled = True

    def _awake(self, who: str) -> None:
        self.lives[who].calls.handler = None
        self.lives[who].calls.seen.clear()


async def _end_of(history: History) -> None:
    """Another worker comes, which knows nothing; then whoever slept wakes up, and whatever was sent arrives."""
    await history.happen(("submit", "observer"))
    observer = history.lives["observer"]
    job = await observer.finish(history.key)
    await history.happen(("wake",))
    while await observer.work_once():
        pass
    await history.check_the_end_stays()
    assert await observer.stores.jobs.get(history.key) == job
    assert json.loads(history.manifest or b"{}")["status"] == job.state.value
    if history.cancelled:
        assert job.state is JobState.CANCELLED
    else:
        content, _ = await result_of(observer, history.key.processing_id)
        assert content == history.case.golden(observer.settings)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=st.lists(_ACTS, max_size=12), name=st.sampled_from(list(CASES)))
async def test_any_history_ends_like_the_quiet_run(
    make_settings: MakeSettings, tmp_path: Path, acts: list[tuple[object, ...]], name: str
) -> None:
    config = make_settings(long_poll_seconds=0, max_attempts=100, lease_seconds=20, partition_bytes=1024)
    async with life(config) as one, life(config) as two, life(config) as observer:
        await put_inputs(observer, tmp_path)
        key = JobKey(OWNER, f"history-{next(_number)}")
        lives = {"one": one, "two": two, "observer": observer}
        for each in lives.values():
            await each.reborn(key.processing_id)
        history = History(key, CASES[name].source(config), CASES[name], lives)
        for act in acts:
            await history.happen(act)
        await _end_of(history)
