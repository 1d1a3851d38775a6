"""Zombies, races, losses, poison and stops: what a job goes through without being lost or done twice."""

import asyncio
import json
from typing import Any

from services.processor.domain.job_names import JobKey
from services.processor.domain.outcomes import JobState
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Call, Crash, Life, Stall, When, life, submit_test_job, take, until_dead
from tests.service.processor.running import Processor, ready, worker
from tests.support.waiting import eventually

OWNER = "usr_ada"
KEY = JobKey(OWNER, "job")


async def item(one: Life, sort_key: str) -> dict[str, Any]:
    answer = await one.stores.dynamodb.get_item(
        TableName=one.stores.jobs.table, Key={"pk": {"S": f"JOB#{OWNER}#job"}, "sk": {"S": sort_key}}
    )
    return dict(answer["Item"])


async def test_a_zombie_can_not_record_a_part_that_was_taken_over(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=60)
    async with life(settings) as zombie, life(settings) as heir:
        delivery = await submit_test_job(zombie, OWNER)
        stall = zombie.calls.handler = Stall(
            "dynamodb.UpdateItem", nth=4
        )  # plan lease, open, part lease, then the record
        sleeping = asyncio.create_task(zombie.consumer._handle(delivery))
        await stall.reached.wait()
        heir.ahead_seconds = 100
        await heir.consumer._handle(delivery)
        done_by_heir = await item(heir, "PART#00000")
        stall.let_go.set()
        await sleeping
        assert done_by_heir["fence"] == {"N": "2"}
        assert await item(heir, "PART#00000") == done_by_heir
        assert zombie.calls.seen[-1] == "sqs.ChangeMessageVisibility"  # it went no further


async def test_a_zombie_can_not_record_a_part_that_its_heir_works_on(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=60)
    async with life(settings) as zombie, life(settings) as heir:
        delivery = await submit_test_job(zombie, OWNER)
        stall = zombie.calls.handler = Stall("dynamodb.UpdateItem", nth=4)
        sleeping = asyncio.create_task(zombie.consumer._handle(delivery))
        await stall.reached.wait()
        heir.ahead_seconds = 100
        its_stall = heir.calls.handler = Stall("dynamodb.UpdateItem", nth=3)  # no plan lease, part lease, record
        working = asyncio.create_task(heir.consumer._handle(delivery))
        await its_stall.reached.wait()
        stall.let_go.set()
        await sleeping
        assert "sha256" not in await item(heir, "PART#00000")
        its_stall.let_go.set()
        await working
        assert "sha256" in await item(heir, "PART#00000")


async def test_a_worker_that_lost_its_lease_stops_at_the_next_heartbeat(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=0.6)
    async with life(settings) as sleeper, life(settings) as heir:
        delivery = await submit_test_job(sleeper, OWNER)
        stall = sleeper.calls.handler = Stall("s3.PutObject", "/data/")
        sleeping = asyncio.create_task(sleeper.consumer._handle(delivery))
        await stall.reached.wait()
        heir.ahead_seconds = 100
        await heir.consumer._handle(delivery)
        await asyncio.wait_for(sleeping, 5)  # though its call was never let go
        job = await heir.stores.jobs.get(KEY)
        assert job is not None
        assert job.state is JobState.COMPLETED


async def test_a_long_part_keeps_its_lease_by_heartbeats(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=0.6)
    async with life(settings) as slow, life(settings) as other:
        await slow.submit(OWNER, "job", "test", {"stamp": False})
        delivery = await take(slow, visibility_seconds=1)
        stall = slow.calls.handler = Stall("s3.PutObject", "/data/")
        working = asyncio.create_task(slow.consumer._handle(delivery))
        await stall.reached.wait()
        await asyncio.sleep(1.5)
        assert await other.work_once(wait_seconds=1) == 0  # the message is kept hidden
        await other.consumer._handle(delivery)  # and who has it all the same finds the work taken
        stall.let_go.set()
        await working
        assert (await item(other, "PART#00000"))["fence"] == {"N": "1"}


async def test_two_planners_end_with_one_plan_and_one_result(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=60)
    async with life(settings) as one, life(settings) as two:
        delivery = await submit_test_job(one, OWNER)
        stall = one.calls.handler = Stall("s3.PutObject", "plan.json")
        planning = asyncio.create_task(one.consumer._handle(delivery))
        await stall.reached.wait()
        two.ahead_seconds = 100
        await two.consumer._handle(delivery)
        manifest = await two.stores.files.manifest(KEY)
        stall.let_go.set()
        await planning
        assert manifest is not None
        assert await two.stores.files.manifest(KEY) == manifest
        assert json.loads(manifest)["status"] == "completed"


async def test_a_job_that_somebody_plans_is_left_to_them(make_settings: MakeSettings) -> None:
    async with life(make_settings(lease_seconds=60)) as one, life(one.settings) as two:
        delivery = await submit_test_job(one, OWNER)
        stall = one.calls.handler = Stall("s3.PutObject", "plan.json")
        planning = asyncio.create_task(one.consumer._handle(delivery))
        await stall.reached.wait()
        await two.consumer._handle(delivery)
        assert [call for call in two.calls.seen if call.startswith("s3.")] == []
        stall.let_go.set()
        await planning


async def test_whoever_commits_second_adopts_the_first_manifest(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=60)
    async with life(settings) as one, life(settings) as two:
        delivery = await submit_test_job(one, OWNER)
        stall = one.calls.handler = Stall("s3.PutObject", "manifest.json")
        committing = asyncio.create_task(one.consumer._handle(delivery))
        await stall.reached.wait()
        two.ahead_seconds = 100
        await two.consumer._handle(delivery)
        manifest = await two.stores.files.manifest(KEY)
        stall.let_go.set()
        await committing
        assert await two.stores.files.manifest(KEY) == manifest


async def test_a_lost_message_is_sent_again_by_the_sweeper(idle_processor: Processor) -> None:
    answer = await idle_processor.submit("test", prefer="respond-async", processing_id="lost")
    assert answer.status_code == 202
    [delivery] = await idle_processor.stores.queue.receive(most=1, wait_seconds=1, visibility_seconds=60)
    await idle_processor.stores.queue.done(delivery)
    quick = idle_processor.settings.model_copy(update={"sweep_after_seconds": 0.1, "sweep_interval_seconds": 0.2})
    await _age_sweep_time(idle_processor, "lost")
    async with worker(quick):
        assert (await idle_processor.status("lost", wait=20))["status"] == "completed"


async def _age_sweep_time(processor: Processor, processing_id: str) -> None:
    await processor.stores.dynamodb.update_item(
        TableName=processor.stores.jobs.table,
        Key={"pk": {"S": f"JOB#{processor.owner}#{processing_id}"}, "sk": {"S": "META"}},
        UpdateExpression="SET sweep_at_ms = :zero",
        ExpressionAttributeValues={":zero": {"N": "0"}},
    )


async def test_the_sweeper_leaves_work_that_somebody_does(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=600, sweep_after_seconds=1)
    async with life(settings) as one:
        delivery = await submit_test_job(one, OWNER)
        stall = one.calls.handler = Stall("s3.PutObject", "/data/")
        working = asyncio.create_task(one.consumer._handle(delivery))
        await stall.reached.wait()
        async with life(settings) as sweeper:
            sweeper.ahead_seconds = 100
            assert await sweeper.sweep() == 0
        stall.let_go.set()
        await working


async def test_poison_ends_the_job_and_lies_in_the_dead_letter_queue_with_its_reason(
    make_settings: MakeSettings,
) -> None:
    async with life(make_settings(max_attempts=2)) as one:
        delivery = await submit_test_job(one, OWNER)
        for ahead in (0, 100):
            one.calls.dead, one.ahead_seconds = False, ahead
            one.calls.seen.clear()
            one.calls.handler = _dies_in_its_part(one)
            assert await until_dead(one.consumer._handle(delivery))
        one.calls.dead, one.calls.handler, one.ahead_seconds = False, None, 200
        await one.consumer._handle(delivery)
        job = await one.stores.jobs.get(KEY)
        assert job is not None and job.outcome is not None and job.outcome.error is not None  # noqa: PT018 - for mypy
        assert job.outcome.error.code == "part-failed"
        dead = await one.stores.queue.sqs.receive_message(
            QueueUrl=await one.stores.queue.dead_letter_url.get(), MessageAttributeNames=["reason"], WaitTimeSeconds=1
        )
        [message] = dead["Messages"]
        assert "tried 2 times" in message["MessageAttributes"]["reason"]["StringValue"]


def _dies_in_its_part(one: Life) -> Any:  # noqa: ANN401 - a handler
    def die(when: When, call: Call) -> None:
        if when == "before" and call.name == "s3.PutObject" and "/data/" in call.path:
            one.calls.dead = True
            raise Crash

    return die


async def test_a_worker_that_stops_gives_its_work_back_at_once(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=600)
    async with life(settings) as stopping, life(settings) as next_one:
        await stopping.submit(OWNER, "job", "test", {"stamp": False})
        stall = stopping.calls.handler = Stall("s3.PutObject", "/data/")
        consumer = stopping.consumer
        consumer.start()
        await stall.reached.wait()
        await consumer.stop(1.5)
        part = await item(next_one, "PART#00000")
        assert "lease_until_ms" not in part
        assert part["attempts"] == {"N": "0"}  # a stop is no failure
        assert await next_one.work_once(wait_seconds=1) == 1
        assert (await item(next_one, "PART#00000"))["fence"] == {"N": "2"}


async def test_a_record_that_lags_behind_its_manifest_is_mended_by_a_status_read(idle_processor: Processor) -> None:
    await idle_processor.submit("test", processing_id="lag", prefer="respond-async")
    settings = idle_processor.settings.model_copy(update={"lease_seconds": 0.5})
    async with life(settings) as one:
        one.calls.handler = _dies_before_publishing(one)
        assert await until_dead(one.work_once(wait_seconds=1))
    await asyncio.sleep(0.6)
    assert await idle_processor.manifest("lag") is not None
    assert (await idle_processor.status("lag"))["status"] == "completed"


def _dies_before_publishing(one: Life) -> Any:  # noqa: ANN401 - a handler
    def die(when: When, call: Call) -> None:
        if when == "after" and call.name == "s3.PutObject" and "manifest.json" in call.path:
            one.calls.dead = True
            raise Crash

    return die


async def test_a_small_job_takes_few_calls(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        await one.reborn("counted")
        await one.submit(OWNER, "job", "test", {})
        await one.work_once(wait_seconds=1)
        print(f"{len(one.calls.seen)} AWS calls: {' '.join(one.calls.seen)}")  # noqa: T201 - shown on failure and by -s
        assert len(one.calls.seen) <= 12


async def test_a_job_whose_message_can_not_be_sent_is_accepted_all_the_same(make_settings: MakeSettings) -> None:
    async with life(make_settings(queue_name="there-is-none")) as one:
        await one.submit(OWNER, "job", "test", {})
        assert await one.stores.jobs.get(KEY) is not None


async def test_every_part_of_a_message_is_traced_to_its_request(idle_processor: Processor) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    idle_processor.http.headers["traceparent"] = f"00-{trace}-00f067aa0ba902b7-01"
    await idle_processor.submit("test", prefer="respond-async")
    [delivery] = await idle_processor.stores.queue.receive(most=1, wait_seconds=1, visibility_seconds=60)
    assert json.loads(delivery.raw_body)["traceparent"].startswith(f"00-{trace}-")


async def test_a_message_that_is_none_of_ours_goes_to_the_dead_letter_queue(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        queue = one.stores.queue
        await queue.sqs.send_message(QueueUrl=await queue.url.get(), MessageBody='{"v": 99}')
        assert await one.work_once(wait_seconds=1) == 1
        dead = await queue.sqs.receive_message(QueueUrl=await queue.dead_letter_url.get(), WaitTimeSeconds=1)
        assert [message["Body"] for message in dead["Messages"]] == ['{"v": 99}']


async def test_a_worker_answers_for_its_health(working_processor: Processor) -> None:
    async with worker(working_processor.settings) as http:
        await eventually(ready(http))
        assert "mayfly_parts_under_way" in (await http.get("/metrics")).text
        assert {"revocations", "consumer"} <= (await http.get("/readyz")).json()["checks"].keys()
