"""What a worker tells of its work by numbers."""

import subprocess
import sys

import pytest
from prometheus_client import REGISTRY

from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Call, Crash, Life, When, life, submit_test_job, take, until_dead
from tests.support.waiting import eventually

OWNER = "usr_ada"


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


async def test_the_sweeper_measures_the_queue(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        for number in range(4):
            await one.submit(OWNER, f"job-{number}", "test", {})
        await one.stores.queue.bury(await take(one), reason="for the test")
        await take(one)
        await one.sweep()
        states = ("waiting", "taken", "dead")
        assert [value("mayfly_queue_messages", state=state) for state in states] == [2, 1, 1]


async def test_a_receive_tells_how_old_its_oldest_message_is(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        await one.submit(OWNER, "job", "test", {})

        async def received() -> bool:
            [delivery] = await one.consumer._receive(1)
            await one.stores.queue.hide(delivery, seconds=0)
            return value("mayfly_queue_oldest_message_seconds") > 0.5

        await eventually(received)
        await one.stores.queue.done(await take(one))
        await one.consumer._receive(1)
        assert value("mayfly_queue_oldest_message_seconds") == 0


def dies_at(one: Life, path_part: str) -> None:
    def die(when: When, call: Call) -> None:
        if when == "before" and call.name == "s3.PutObject" and path_part in call.path:
            one.calls.dead = True
            raise Crash

    one.calls.dead, one.calls.handler = False, die


@pytest.mark.parametrize(("kind", "path_part"), [("plan", "plan.json"), ("part", "/data/")])
async def test_a_lease_that_ran_out_is_a_takeover(make_settings: MakeSettings, kind: str, path_part: str) -> None:
    async with life(make_settings()) as one:
        before = value("mayfly_lease_takeovers_total", kind=kind)
        delivery = await submit_test_job(one, OWNER)
        dies_at(one, path_part)
        assert await until_dead(one.consumer._handle(delivery))
        assert value("mayfly_lease_takeovers_total", kind=kind) == before
        one.calls.dead, one.calls.handler, one.ahead_seconds = False, None, 100
        await one.consumer._handle(delivery)
        assert value("mayfly_lease_takeovers_total", kind=kind) == before + 1


@pytest.mark.parametrize(("kind", "path_part"), [("plan", "plan.json"), ("part", "/data/")])
async def test_a_lease_that_was_given_back_is_none(make_settings: MakeSettings, kind: str, path_part: str) -> None:
    async with life(make_settings()) as one:
        before = value("mayfly_lease_takeovers_total", kind=kind)
        delivery = await submit_test_job(one, OWNER)

        def fail(when: When, call: Call) -> None:
            if when == "before" and path_part in call.path:
                raise RuntimeError

        one.calls.handler = fail
        await one.consumer._handle(delivery)
        one.calls.handler = None
        await one.consumer._handle(delivery)
        assert value("mayfly_lease_takeovers_total", kind=kind) == before


async def test_records_and_bytes_are_counted_by_stage(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        names = [("mayfly_bytes_total", stage) for stage in ("fetched", "read", "written")]
        names += [("mayfly_records_total", stage) for stage in ("read", "rejected", "written")]
        before = [value(name, stage=stage) for name, stage in names]
        await one.submit(OWNER, "job", "test", {"filter_condition": "id >= 90", "stamp": False})
        await one.work_once(wait_seconds=1)
        fetched, read, written, *records = (
            value(name, stage=stage) - was for (name, stage), was in zip(names, before, strict=True)
        )
        assert records == [100, 0, 10]
        assert fetched == read > written > 0


def test_a_worker_tells_of_revocations_and_nothing_of_auths_keys_which_it_does_not_follow() -> None:
    code = "import services.processor.worker.app, prometheus_client as p; print(p.generate_latest().decode())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)  # noqa: S603 - ours
    assert "mayfly_parts_under_way" in told.stdout
    assert "mayfly_revocation_staleness_seconds" in told.stdout
    assert "mayfly_jwks_age_seconds" not in told.stdout
