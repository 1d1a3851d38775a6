"""A step that needs all rows, over several parts: one part more makes the result of what they keep."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from services.processor.domain.job_names import JobKey
from services.processor.domain.jobs import Job
from services.processor.domain.messages import WorkMessage
from services.processor.domain.outcomes import JobState
from shared.testing.tokens import TokenFactory
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Call, Crash, Handler, Life, Stall, When, life, take, until_dead
from tests.service.processor.running import Processor, processor, worker
from tests.service.processor.test_cancel import cancel
from tests.support.names import unique_name

OWNER = "usr_ada"
KEY = JobKey(OWNER, "job")
LINES = [{"id": number, "k": number * 7 % 10, "v": number / 8, "note": "é" * (number % 9)} for number in range(200)]
NDJSON = b"".join(json.dumps(line).encode() + b"\n" for line in LINES)
SORTED: list[object] = [{"filter": "id > 9"}, {"sort": ["-k"]}, {"drop": ["note"]}]
STEPS: dict[str, list[object]] = {
    "a sort": SORTED,
    "its first": [*SORTED, {"limit": 9}],
    "one of each": [{"deduplicate": {"by": ["k"], "keep": "last", "order_by": ["note"]}}],
    "groups": [{"aggregate": {"by": ["k"], "measures": {"s": "SUM(v / 3)", "l": "LAST(note)", "n": "COUNT(*)"}}}],
}


@pytest.fixture
async def cutting_processor(make_settings: MakeSettings, tokens: TokenFactory) -> AsyncIterator[Processor]:
    settings = make_settings(partition_bytes=1024)
    async with processor(settings, tokens, unique_name("usr")) as running, worker(settings):
        yield running


@pytest.mark.parametrize("name", STEPS)
async def test_two_stages_give_the_bytes_of_one(
    cutting_processor: Processor, make_settings: MakeSettings, tokens: TokenFactory, name: str
) -> None:
    config = {"transformations": STEPS[name], "stamp": False}
    source = await cutting_processor.put("lines.ndjson", NDJSON)
    staged = (await cutting_processor.submit(source, config)).json()["processing_id"]
    queue_name = unique_name("whole")
    await cutting_processor.stores.queue.sqs.create_queue(QueueName=queue_name)
    settings = make_settings(queue_name=queue_name)
    async with worker(settings), processor(settings, tokens, cutting_processor.owner) as whole:
        alone = (await whole.submit(source, config)).json()["processing_id"]
        assert (await whole.status(alone))["progress"]["partitions"]["total"] == 1
        assert await whole.result(alone) == await cutting_processor.result(staged)


async def test_progress_and_manifest_tell_of_both_stages(cutting_processor: Processor) -> None:
    source = await cutting_processor.put("lines.ndjson", NDJSON)
    answer = await cutting_processor.submit(source, {"transformations": SORTED, "stamp": False})
    processing_id = answer.json()["processing_id"]
    status = await cutting_processor.status(processing_id)
    pieces = -(-len(NDJSON) // 1024)
    assert status["progress"]["partitions"] == {"done": pieces + 1, "total": pieces + 1}
    assert status["progress"]["bytes"] == {"done": len(NDJSON), "total": len(NDJSON)}
    assert (status["input_size"], status["output_size"]) == (200, 190)
    manifest = await cutting_processor.manifest(processing_id)
    assert manifest is not None
    assert (manifest["plan"]["row_steps"], len(manifest["plan"]["partitions"])) == (1, pieces)
    assert sum(part["records"] for part in manifest["first_stage"]) == 190
    [part] = manifest["parts"]
    assert (part["records"], manifest["result_location"].endswith(part["key"])) == (190, True)
    assert all(part["sha256"] in part["key"] and "/rows/" in part["key"] for part in manifest["first_stage"])


async def test_small_objects_are_one_part_together(cutting_processor: Processor) -> None:
    sources = [await cutting_processor.put(f"small-{i}.ndjson", b'{"x": 1}\n') for i in range(3)]
    answer = await cutting_processor.submit(sources, {"transformations": [{"sort": ["x"]}], "stamp": False})
    assert (await cutting_processor.status(answer.json()["processing_id"]))["progress"]["partitions"]["total"] == 1


async def test_objects_without_records_are_one_part(cutting_processor: Processor) -> None:
    sources = [await cutting_processor.put(f"empty-{i}.ndjson", b"\n" * 1000) for i in range(3)]
    answer = await cutting_processor.submit(sources, {"transformations": [{"sort": ["x"]}], "stamp": False})
    assert answer.status_code == 200, answer.text
    assert await cutting_processor.result(answer.json()["processing_id"]) == b""


async def test_a_value_that_fails_in_the_second_stage_is_named(cutting_processor: Processor) -> None:
    bad = NDJSON + b'{"id": 200, "k": 0, "v": 0.5, "note": "bad"}\n'
    steps = [{"sort": ["v"]}, {"derive": {"w": "CAST(note AS BIGINT)"}}]
    config = {"filter_condition": "id = 200", "transformations": steps}
    answer = await cutting_processor.submit(await cutting_processor.put("bad.ndjson", bad), config)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "bad-record")
    rest = bad[problem["from_byte"] :].splitlines()
    assert json.loads(rest[problem["record"] - 1])["note"] == "bad"
    assert problem["column"] == "w"


async def submit_two_parts(one: Life) -> None:
    """A sort over two objects, each a part of the first stage."""
    for name, numbers in (("a", range(60)), ("b", range(60, 120))):
        content = "".join(f'{{"x": {number}, "y": "{number:010}"}}\n' for number in numbers)
        key = f"inputs/{OWNER}/two/{name}.ndjson"
        await one.stores.s3.put_object(Bucket=one.settings.bucket, Key=key, Body=content.encode())
    steps = [{"sort": ["-x"]}, {"select": ["x"]}]
    source = f"s3://{one.settings.bucket}/inputs/{OWNER}/two/"
    await one.submit(OWNER, "job", source, {"transformations": steps, "stamp": False})


async def job_of(one: Life) -> Job:
    job = await one.stores.jobs.get(KEY)
    assert job is not None
    return job


async def fences(one: Life) -> list[int]:
    return [record.lease.fence for record in await one.stores.parts.all_of(KEY)]


async def test_two_who_end_the_first_stage_together_both_ask_for_the_second_which_is_done_once(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(lease_seconds=60, partition_bytes=2048)
    async with life(settings) as one, life(settings) as two:
        await submit_two_parts(one)
        stall = one.calls.handler = Stall(
            "dynamodb.Query", nth=2
        )  # what is open, and now, its part recorded, the others
        looking = asyncio.create_task(one.work_once(wait_seconds=1))
        await stall.reached.wait()
        assert await two.work_once(wait_seconds=1) == 1
        stall.let_go.set()
        await looking
        second = [await take(two), await take(two)]
        assert {json.loads(delivery.raw_body)["part"] for delivery in second} == {2}
        await asyncio.gather(one.consumer._handle(second[0]), two.consumer._handle(second[1]))
        assert (await job_of(one)).state is JobState.COMPLETED
        assert await fences(one) == [1, 1, 1]


async def test_the_second_stage_is_not_begun_before_the_first_is_done(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=60, partition_bytes=2048)
    async with life(settings) as one, life(settings) as two:
        await submit_two_parts(one)
        stall = one.calls.handler = Stall("s3.PutObject", "/rows/")
        working = asyncio.create_task(one.work_once(wait_seconds=1))
        await stall.reached.wait()
        assert await two.work_once(wait_seconds=1) == 1  # the other part
        await two.stores.queue.send(WorkMessage(KEY, 2, ""))
        assert await two.work_once(wait_seconds=1) == 1
        assert await fences(two) == [1, 1]
        stall.let_go.set()
        await working
        assert await two.work_once(wait_seconds=1) == 1
        assert (await job_of(two)).state is JobState.COMPLETED


async def test_a_lost_message_of_the_second_stage_is_sent_again_by_the_sweeper(make_settings: MakeSettings) -> None:
    async with life(make_settings(partition_bytes=2048)) as one:
        await submit_two_parts(one)
        assert await one.work_once(wait_seconds=1) + await one.work_once(wait_seconds=1) == 2
        await one.stores.queue.done(await take(one))
        one.ahead_seconds = 1000
        assert await one.sweep() == 1
        assert await one.work_once(wait_seconds=1) == 1
        assert (await job_of(one)).state is JobState.COMPLETED


async def until_the_second_stage(one: Life) -> None:
    await submit_two_parts(one)
    while len(await fences(one)) < 2 or any(part.result is None for part in await one.stores.parts.all_of(KEY)):
        await one.work_once(wait_seconds=1)


async def test_a_cancel_in_the_second_stage_stops_it_at_the_next_heartbeat(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=0.6, partition_bytes=2048)
    async with life(settings) as one, life(settings) as owner:
        await until_the_second_stage(one)
        stall = one.calls.handler = Stall("s3.PutObject", "/data/")
        working = asyncio.create_task(one.work_once(wait_seconds=2))
        await stall.reached.wait()
        assert await cancel(owner) is JobState.CANCELLED
        await asyncio.wait_for(working, 60)
        manifest = json.loads(await owner.stores.files.manifest(KEY) or b"{}")
        assert (manifest["status"], "parts" in manifest) == ("cancelled", False)


async def test_poison_in_the_second_stage_ends_the_job(make_settings: MakeSettings) -> None:
    async with life(make_settings(max_attempts=2, partition_bytes=2048)) as one:
        await until_the_second_stage(one)
        delivery = await take(one)
        for ahead in (0, 100):
            one.calls.dead, one.ahead_seconds, one.calls.handler = False, ahead, _dies_before_its_result(one)
            assert await until_dead(one.consumer._handle(delivery))
        one.calls.dead, one.calls.handler, one.ahead_seconds = False, None, 200
        await one.consumer._handle(delivery)
        outcome = (await job_of(one)).outcome
        assert outcome is not None and outcome.error is not None  # noqa: PT018 - for mypy
        assert (outcome.error.code, outcome.error.detail[:14]) == ("part-failed", "part 2 was tri")


def _dies_before_its_result(one: Life) -> Handler:
    def die(when: When, call: Call) -> None:
        if when == "before" and call.name == "s3.PutObject" and "/data/" in call.path:
            one.calls.dead = True
            raise Crash

    return die


async def test_rows_that_were_removed_fail_the_job_by_their_name(make_settings: MakeSettings) -> None:
    async with life(make_settings(partition_bytes=2048)) as one:
        await until_the_second_stage(one)
        bucket, prefix = one.settings.bucket, f"{KEY.folder}rows/"
        found = await one.stores.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        gone = found["Contents"][1]["Key"]
        await one.stores.s3.delete_object(Bucket=bucket, Key=gone)
        await one.work_once(wait_seconds=1)
        outcome = (await job_of(one)).outcome
        assert outcome is not None and outcome.error is not None  # noqa: PT018 - for mypy
        assert outcome.error.code == "first-stage-gone"
        assert gone in outcome.error.detail


async def test_a_small_job_that_sorts_takes_few_calls(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        await one.reborn("counted")
        await one.submit(OWNER, "job", "test", {"transformations": [{"sort": ["-id"]}]})
        await one.work_once(wait_seconds=1)
        assert len(one.calls.seen) <= 12
