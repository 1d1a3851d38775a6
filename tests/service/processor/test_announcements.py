"""How a job ends is told at EventBridge: at least once, under one id, whatever dies; and no job waits for it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.processor.bootstrap import bootstrap
from services.processor.domain.job_names import JobKey
from services.processor.settings import ProcessorSettings
from services.processor.stores.job_keys import OPEN_SHARDS
from services.processor.stores.outbox import Outbox
from shared.errors import Unavailable
from shared.testing.tokens import TokenFactory
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Life, When, life, until_dead
from tests.service.processor.running import processor, worker
from tests.support.names import unique_name
from tests.support.service_link import ServiceLink
from tests.support.waiting import eventually

OWNER = "usr_ada"


class Listener:
    """A queue to which a rule brings all of our events."""

    def __init__(self, sqs: Any, url: str) -> None:  # noqa: ANN401 - a client
        self._sqs, self._url = sqs, url
        self.heard: list[dict[str, Any]] = []

    async def hear(self) -> list[dict[str, Any]]:
        while found := (await self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)).get("Messages"):
            self.heard += [json.loads(message["Body"]) for message in found]
            for message in found:
                await self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return self.heard


@pytest.fixture
async def telling(make_settings: MakeSettings) -> ProcessorSettings:
    settings = make_settings(event_bus=unique_name("bus"), event_interval_seconds=0.2, long_poll_seconds=0)
    await bootstrap(settings)
    return settings


async def listener(one: Life) -> Listener:
    assert one.stores.bus is not None
    sqs, events, bus = one.stores.queue.sqs, one.stores.bus.events, one.stores.bus.name
    url = (await sqs.create_queue(QueueName=unique_name("heard")))["QueueUrl"]
    arn = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]))["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": ["mayfly.processor"]})
    await events.put_rule(Name="all", EventBusName=bus, EventPattern=pattern)
    await events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return Listener(sqs, url)


async def run(one: Life, processing_id: str, config: dict[str, object] | None = None) -> None:
    await one.submit(OWNER, processing_id, "test", config or {})
    while await one.work_once():
        pass


@asynccontextmanager
async def heard_by(settings: ProcessorSettings) -> AsyncIterator[tuple[Life, Listener]]:
    async with life(settings) as one:
        heard = await listener(one)
        one.calls.seen.clear()
        yield one, heard


async def test_each_end_of_a_job_is_an_event(telling: ProcessorSettings, tokens: TokenFactory) -> None:
    async with (
        heard_by(telling) as (one, heard),
        processor(telling, tokens, OWNER) as running,
        worker(telling),
    ):
        source = await running.put("bad.ndjson", b'{"n": 1}\n{"n": "x"}\n')
        await running.submit("test", {"filter_condition": "id >= 90"}, processing_id="good")
        await running.submit(source, {"input": {"schema": {"n": "BIGINT"}}}, processing_id="bad")

        async def all_heard() -> bool:
            return len(await heard.hear()) == 2

        await eventually(all_heard)
        good, bad = sorted(heard.heard, key=lambda event: str(event["detail"]["processing_id"]), reverse=True)
        assert (good["source"], good["detail-type"], bad["detail-type"]) == (
            "mayfly.processor",
            "Job Completed",
            "Job Failed",
        )
        status = await running.status("good")
        assert good["detail"] == {
            "event_id": good["detail"]["event_id"],
            "owner": OWNER,
            "processing_id": "good",
            "state": "completed",
            "submitted_at": status["submitted_at"],
            "finished_at": status["processed_at"],
            "result_location": status["result_location"],
            "manifest_location": f"s3://{telling.bucket}/jobs/{OWNER}/good/manifest.json",
            "counts": good["detail"]["counts"],
            "reason": None,
        }
        assert good["detail"]["counts"]["records_out"] == 10
        assert bad["detail"]["reason"]["code"] == "bad-record"
        assert await one.publish() == 0


async def test_a_cancelled_job_is_told_too(telling: ProcessorSettings, tokens: TokenFactory) -> None:
    async with heard_by(telling) as (one, heard), processor(telling, tokens, OWNER) as running:
        await running.submit("test", processing_id="stopped", prefer="respond-async")
        assert (await running.http.delete("/api/process/stopped")).status_code == 200
        assert await one.publish() == 1
        [event] = await heard.hear()
        assert (event["detail-type"], event["detail"]["reason"]["code"]) == ("Job Cancelled", "job-cancelled")


async def test_many_are_told_in_few_calls(telling: ProcessorSettings) -> None:
    async with heard_by(telling) as (one, heard):
        for number in range(12):
            await run(one, f"job-{number}")
        one.calls.seen.clear()
        assert await one.publish() == 12
        assert one.calls.seen.count("eventbridge.PutEvents") <= 5  # one for each shard, and one for a second page
        ids = {event["detail"]["event_id"] for event in await heard.hear()}
        assert len(ids) == 12


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["dynamodb.Query", "eventbridge.PutEvents", "dynamodb.UpdateItem"])
async def test_who_dies_while_it_tells_loses_no_event(telling: ProcessorSettings, call: str, when: When) -> None:
    async with heard_by(telling) as (other, heard), life(telling) as dying:
        await run(dying, "job")
        dying.calls.die_around(call, when)
        assert await until_dead(dying.publish())
        await other.publish()
        events = await heard.hear()
        assert len({event["detail"]["event_id"] for event in events}) == 1
        told_before = (call, when) in {("eventbridge.PutEvents", "after"), ("dynamodb.UpdateItem", "before")}
        assert len(events) == (2 if told_before else 1)
        assert await other.publish() == 0


async def test_a_job_ends_while_eventbridge_is_down_and_is_told_of_later(
    telling: ProcessorSettings, make_settings: MakeSettings
) -> None:
    assert telling.aws_endpoint_url is not None
    async with heard_by(telling) as (one, heard), ServiceLink(telling.aws_endpoint_url) as link:
        cut_off = make_settings(event_bus=telling.event_bus, aws_endpoint_url=link.url, long_poll_seconds=0)
        async with life(cut_off) as lonely:
            with link.without("events"):
                await run(lonely, "job")
                assert (await lonely.stores.jobs.find(JobKey(OWNER, "job"))).outcome is not None
                with pytest.raises(Unavailable):
                    await lonely.publish()
        assert await one.publish() == 1
        assert len(await heard.hear()) == 1


async def test_what_eventbridge_does_not_take_waits_and_stands_in_nobody_s_way(telling: ProcessorSettings) -> None:
    async with heard_by(telling) as (one, heard):
        await run(one, "job")
        assert one.stores.bus is not None
        before = REGISTRY.get_sample_value("mayfly_events_total", {"outcome": "refused"}) or 0

        def refuse(parsed: dict[str, Any], **_: object) -> None:
            parsed["Entries"] = [{"ErrorCode": "InternalFailure", "ErrorMessage": "for the test"}]

        one.stores.bus.events.meta.events.register("after-call.eventbridge.PutEvents", refuse, unique_id="refuse")
        assert await one.publish() == 0
        one.stores.bus.events.meta.events.unregister("after-call.eventbridge.PutEvents", refuse, unique_id="refuse")
        assert REGISTRY.get_sample_value("mayfly_events_total", {"outcome": "refused"}) == before + 1
        assert await one.publish() == 1
        assert len(await heard.hear()) == 2  # this emulator had taken it


async def test_without_a_bus_nobody_is_told_and_nothing_is_kept_for_them(make_settings: MakeSettings) -> None:
    async with life(make_settings(long_poll_seconds=0)) as one:
        await run(one, "job")
        outbox = Outbox(one.stores.dynamodb, one.stores.jobs.table)
        for shard in OPEN_SHARDS:
            assert [page async for page in outbox.pages(shard, limit=10)] == []


async def test_a_bus_costs_the_job_no_call(telling: ProcessorSettings) -> None:
    async with life(telling) as one:
        await one.reborn(unique_name("counted"))
        await run(one, "job")
        assert len([call for call in one.calls.seen if call != "sqs.ReceiveMessage"]) <= 11
