"""Nobody takes what is there for all: what one owner may have open, and how far others wait behind them."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from services.processor.domain.job_names import JobKey
from services.processor.domain.messages import parse_message
from services.processor.domain.quotas import QueueFull, QuotaExceeded
from services.processor.stores.admission import QueueRoom
from shared.testing.tokens import TokenFactory
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Life, life
from tests.service.processor.running import Processor, processor
from tests.support.job_client import orders
from tests.support.names import unique_name
from tests.support.waiting import eventually

GREEDY, MODEST = "usr_greedy", "usr_modest"


@pytest.fixture
async def strict_processor(make_settings: MakeSettings, tokens: TokenFactory) -> AsyncIterator[Processor]:
    """Two open jobs and a kilobyte for each owner; nobody works."""
    settings = make_settings(max_open_jobs=2, max_open_bytes=1000)
    async with processor(settings, tokens, unique_name("usr")) as running:
        yield running


async def next_message(one: Life) -> str | None:
    """Does what the queue gives first; whose it was."""
    deliveries = await one.stores.queue.receive(most=1, wait_seconds=0, visibility_seconds=60)
    for delivery in deliveries:
        await one.consumer._handle(delivery)
    return parse_message(deliveries[0].raw_body).key.owner if deliveries else None


async def put_many(one: Life, owner: str, count: int) -> str:
    for number in range(count):
        key = f"inputs/{owner}/many/{number:03d}.ndjson"
        await one.stores.s3.put_object(Bucket=one.settings.bucket, Key=key, Body=orders(1, number))
    return f"s3://{one.settings.bucket}/inputs/{owner}/many/"


async def test_many_parts_of_one_owner_delay_another_s_job_by_their_turn_alone(make_settings: MakeSettings) -> None:
    async with life(make_settings(max_parts_at_once=3, long_poll_seconds=0)) as one:
        await one.submit(GREEDY, "many", await put_many(one, GREEDY, 12), {})
        assert await next_message(one) == GREEDY
        await one.submit(MODEST, "single", "test", {})
        before = 0
        while await next_message(one) == GREEDY:
            before += 1
        assert before <= 3
        assert (await one.stores.jobs.find(JobKey(MODEST, "single"))).outcome is not None
        while await next_message(one):
            assert (await one.stores.queue.depth()).waiting <= 3
        many = await one.stores.jobs.find(JobKey(GREEDY, "many"))
        assert many.outcome is not None
        assert many.outcome.counts.records_out == 12


async def test_an_owner_s_jobs_share_what_the_owner_may_have_at_once(make_settings: MakeSettings) -> None:
    async with life(make_settings(max_parts_at_once=6, long_poll_seconds=0)) as one:
        source = await put_many(one, GREEDY, 8)
        for number in range(3):
            await one.submit(GREEDY, f"job-{number}", source, {})
        for _ in range(3):
            await next_message(one)
        jobs = [await one.stores.jobs.find(JobKey(GREEDY, f"job-{number}")) for number in range(3)]
        assert [job.parts_at_once for job in jobs] == [2, 2, 2]


async def test_the_sweeper_asks_for_no_more_parts_than_the_job_may_have(make_settings: MakeSettings) -> None:
    async with life(make_settings(max_parts_at_once=3, long_poll_seconds=0)) as one:
        await one.submit(GREEDY, "many", await put_many(one, GREEDY, 8), {})
        await next_message(one)
        one.ahead_seconds = 1000
        assert await one.sweep() == 3


async def test_one_job_too_many_is_refused_whole_and_names_the_quota(strict_processor: Processor) -> None:
    for name in ("one", "two"):
        assert (await strict_processor.submit("test", processing_id=name, prefer="respond-async")).status_code == 202
    refused = await strict_processor.submit("test", processing_id="three", prefer="respond-async")
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (429, "quota-exceeded")
    assert problem["quota"] == {"setting": "MAYFLY_MAX_OPEN_JOBS", "most": 2, "used": 2}
    assert "DELETE /api/process" in problem["detail"]
    assert int(refused.headers["retry-after"]) >= 1
    assert (await strict_processor.http.get("/api/status/three")).status_code == 404
    assert REGISTRY.get_sample_value("mayfly_quota_refusals_total", {"setting": "MAYFLY_MAX_OPEN_JOBS"})


async def test_who_is_at_the_quota_may_ask_for_an_accepted_job_again(strict_processor: Processor) -> None:
    for name in ("one", "two", "one"):
        assert (await strict_processor.submit("test", processing_id=name, prefer="respond-async")).status_code == 202
    conflict = await strict_processor.submit("test", {"stamp": False}, processing_id="one")
    assert conflict.status_code == 409


async def test_a_job_that_has_ended_makes_room_for_another(strict_processor: Processor) -> None:
    for name in ("one", "two"):
        await strict_processor.submit("test", processing_id=name, prefer="respond-async")
    assert (await strict_processor.submit("test")).status_code == 429
    assert (await strict_processor.http.delete("/api/process/one")).status_code == 200
    assert (await strict_processor.submit("test", prefer="respond-async")).status_code == 202


async def test_another_owner_has_quotas_of_their_own(strict_processor: Processor) -> None:
    for _ in range(2):
        await strict_processor.submit("test", prefer="respond-async")
    other = await strict_processor.http.post(
        "/api/process",
        json={"data_source": "test"},
        headers={"prefer": "respond-async", **strict_processor.headers_of(unique_name("usr"))},
    )
    assert other.status_code == 202


@pytest.fixture
async def narrow_processor(make_settings: MakeSettings, tokens: TokenFactory) -> AsyncIterator[Processor]:
    """Two messages may wait; nobody works."""
    async with processor(make_settings(max_waiting_messages=2), tokens, unique_name("usr")) as running:
        yield running


async def fill(narrow: Processor) -> None:
    for name in ("one", "two"):
        assert (await narrow.submit("test", processing_id=name, prefer="respond-async")).status_code == 202


async def test_when_too_much_waits_nobody_gets_another_job_and_all_are_told_when_to_come(
    narrow_processor: Processor,
) -> None:
    await fill(narrow_processor)
    other = {"authorization": narrow_processor.headers_of(unique_name("usr"))["authorization"]}
    for headers in ({}, other):
        refused = await narrow_processor.http.post(
            "/api/process", json={"data_source": "test", "processing_id": "three"}, headers=headers
        )
        assert (refused.status_code, refused.json()["code"]) == (503, "queue-full")
        assert "MAYFLY_MAX_WAITING_MESSAGES" in refused.json()["detail"]
        assert int(refused.headers["retry-after"]) >= 1
        assert (await narrow_processor.http.get("/api/status/three", headers=headers)).status_code == 404
    assert REGISTRY.get_sample_value("mayfly_quota_refusals_total", {"setting": "MAYFLY_MAX_WAITING_MESSAGES"})


async def test_an_accepted_job_may_be_asked_for_again_while_the_queue_is_full(narrow_processor: Processor) -> None:
    await fill(narrow_processor)
    assert (await narrow_processor.submit("test", prefer="respond-async")).status_code == 503
    assert (await narrow_processor.submit("test", processing_id="one", prefer="respond-async")).status_code == 202


async def test_once_somebody_takes_what_waits_there_is_room(narrow_processor: Processor) -> None:
    await fill(narrow_processor)
    queue = narrow_processor.stores.queue
    for delivery in await queue.receive(most=2, wait_seconds=1, visibility_seconds=60):
        await queue.done(delivery)

    async def accepted() -> bool:
        return (await narrow_processor.submit("test", prefer="respond-async")).status_code == 202

    await eventually(accepted, timeout_seconds=10)


async def test_a_full_queue_is_asked_once_a_second(make_settings: MakeSettings) -> None:
    settings = make_settings(max_waiting_messages=1)
    async with life(settings) as one:
        await one.submit(GREEDY, "first", "test", {})
        seconds = [1000.0]
        room = QueueRoom(one.stores.queue, settings.quotas, lambda: seconds[0])
        with pytest.raises(QueueFull):
            await room.check()
        [delivery] = await one.stores.queue.receive(most=1, wait_seconds=1, visibility_seconds=60)
        await one.stores.queue.done(delivery)
        with pytest.raises(QueueFull):
            await room.check()
        seconds[0] += 1
        await room.check()


async def test_the_bytes_of_open_jobs_count_once_they_are_planned(make_settings: MakeSettings) -> None:
    async with life(make_settings(max_open_jobs=9, max_open_bytes=1000, long_poll_seconds=0)) as one:
        await one.submit(GREEDY, "many", await put_many(one, GREEDY, 20), {})
        assert (await one.stores.jobs.usage_of(GREEDY)).bytes == 0
        await next_message(one)
        usage = await one.stores.jobs.usage_of(GREEDY)
        assert (usage.jobs, usage.bytes >= 1000) == (1, True)
        with pytest.raises(QuotaExceeded, match="MAYFLY_MAX_OPEN_BYTES"):
            await one.submit(GREEDY, "next", "test", {})


async def test_what_a_worker_of_an_earlier_version_left_is_not_counted(make_settings: MakeSettings) -> None:
    async with life(make_settings(long_poll_seconds=0)) as one:
        await one.submit(GREEDY, "ended", "test", {})
        await next_message(one)
        await one.stores.dynamodb.update_item(
            TableName=one.stores.jobs.table,
            Key={"pk": {"S": f"JOB#{GREEDY}#ended"}, "sk": {"S": "META"}},
            UpdateExpression="SET open_owner = :owner",
            ExpressionAttributeValues={":owner": {"S": GREEDY}},
        )
        assert (await one.stores.jobs.usage_of(GREEDY)).jobs == 0
