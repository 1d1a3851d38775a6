"""How a job fails and who may say so: zombies with bad news, outages without an end, records that are gone."""

import asyncio
from dataclasses import replace

from services.processor.domain.job_names import JobKey
from services.processor.domain.outcomes import JobError, JobState
from services.processor.stores.work_queue import Delivery
from shared.errors import Unavailable
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Call, Life, Stall, When, life, submit_test_job, take

OWNER = "usr_ada"
KEY = JobKey(OWNER, "job")


async def test_a_zombie_can_not_fail_a_job_whose_part_was_taken_over(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=60)
    async with life(settings) as zombie, life(settings) as heir:
        delivery = await submit_records(zombie, b'{"x": 1}\n')
        stall = zombie.calls.handler = Stall("s3.GetObject", "orders", nth=2)  # planned, now it is fetched
        sleeping = asyncio.create_task(zombie.consumer._handle(delivery))
        await stall.reached.wait()
        heir.ahead_seconds = 100
        heirs = heir.calls.handler = Stall("dynamodb.UpdateItem", nth=3)  # plan lease, part lease, then the record
        working = asyncio.create_task(heir.consumer._handle(delivery))
        await heirs.reached.wait()
        await zombie.stores.s3.delete_object(Bucket=settings.bucket, Key=f"inputs/{OWNER}/orders")
        stall.let_go.set()
        await sleeping  # its source is missing
        heirs.let_go.set()
        await working
        assert await state_of(heir) is JobState.COMPLETED


async def test_a_zombie_can_not_fail_a_job_that_another_has_planned(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=60)
    async with life(settings) as zombie, life(settings) as heir:
        delivery = await submit_records(zombie, b'{"x": 1}\n')
        stall = zombie.calls.handler = Stall("s3.GetObject", "orders")
        sleeping = asyncio.create_task(zombie.consumer._handle(delivery))
        await stall.reached.wait()
        heir.ahead_seconds = 100
        heirs = heir.calls.handler = Stall("s3.PutObject", "/data/")
        working = asyncio.create_task(heir.consumer._handle(delivery))
        await heirs.reached.wait()
        await zombie.stores.s3.delete_object(Bucket=settings.bucket, Key=f"inputs/{OWNER}/orders")
        stall.let_go.set()
        await sleeping
        heirs.let_go.set()
        await working
        assert await state_of(heir) is JobState.COMPLETED


async def submit_records(one: Life, content: bytes) -> Delivery:
    key = f"inputs/{OWNER}/orders"
    await one.stores.s3.put_object(Bucket=one.settings.bucket, Key=key, Body=content)
    await one.submit(OWNER, "job", f"s3://{one.settings.bucket}/{key}", {"stamp": False})
    return await take(one)


async def state_of(one: Life) -> JobState:
    job = await one.stores.jobs.get(KEY)
    assert job is not None
    return job.state


async def test_a_repeated_submit_of_a_job_that_nobody_has_begun_sends_its_message_again(
    make_settings: MakeSettings,
) -> None:
    async with life(make_settings()) as one:
        lost = await submit_test_job(one, OWNER)
        await one.stores.queue.done(lost)
        await one.submit(OWNER, "job", "test", {"stamp": False})
        assert await one.work_once(wait_seconds=1) == 1
        assert await state_of(one) is JobState.COMPLETED
        await one.submit(OWNER, "job", "test", {"stamp": False})
        assert await one.work_once(wait_seconds=1) == 0


async def error_of(one: Life) -> JobError:
    job = await one.stores.jobs.get(KEY)
    assert job is not None
    assert job.outcome is not None
    assert job.outcome.error is not None
    return job.outcome.error


def _s3_is_down(when: When, call: Call) -> None:
    if when == "before" and call.name in {"s3.GetObject", "s3.PutObject"} and "manifest" not in call.path:
        raise Unavailable("S3 does not answer.")


async def test_a_job_that_waits_for_too_long_fails_and_names_what_it_waited_for(make_settings: MakeSettings) -> None:
    async with life(make_settings(job_deadline_seconds=3600)) as one:
        delivery = await submit_records(one, b'{"x": 1}\n')
        one.calls.handler = _s3_is_down
        await one.consumer._handle(delivery)
        assert await state_of(one) is JobState.ACCEPTED

        def it_becomes_too_late(when: When, call: Call) -> None:
            if call.name.startswith("s3."):  # the lease was given in time
                one.ahead_seconds = 4000
            _s3_is_down(when, call)

        one.calls.handler = it_becomes_too_late
        await one.consumer._handle(delivery)
        error = await error_of(one)
        assert error.code == "job-deadline-exceeded"
        assert "S3 does not answer" in error.detail


async def test_a_job_that_is_too_old_is_not_begun(make_settings: MakeSettings) -> None:
    async with life(make_settings(job_deadline_seconds=3600)) as one:
        delivery = await submit_records(one, b'{"x": 1}\n')
        one.ahead_seconds = 3600
        await one.consumer._handle(delivery)
        error = await error_of(one)
        assert (error.code, "3600 s" in error.detail) == ("job-deadline-exceeded", True)
        assert not {call for call in one.calls.seen if call.startswith("s3.Get")}


async def test_a_message_that_was_put_off_to_the_last_is_no_poison(make_settings: MakeSettings) -> None:
    async with life(make_settings(max_receive_count=3)) as one:
        delivery = replace(await submit_test_job(one, OWNER), receives=3)
        one.calls.handler = _s3_is_down
        await one.consumer._handle(delivery)
        assert one.calls.seen[-1] == "sqs.DeleteMessage"
        one.calls.handler, one.ahead_seconds = None, 1000
        assert await one.sweep() == 1


async def test_the_message_of_a_job_whose_record_is_gone_is_done(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        delivery = await submit_test_job(one, OWNER)
        stall = one.calls.handler = Stall("s3.PutObject", "manifest.json")
        working = asyncio.create_task(one.consumer._handle(delivery))
        await stall.reached.wait()
        key = {"pk": {"S": f"JOB#{OWNER}#job"}, "sk": {"S": "META"}}
        await one.stores.dynamodb.delete_item(TableName=one.stores.jobs.table, Key=key)
        stall.let_go.set()
        await working
        assert one.calls.seen[-1] == "sqs.DeleteMessage"
