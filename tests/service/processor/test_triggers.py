"""An object that arrives, or a moment, runs the pipelines that wait for it: once, however often it is told."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from services.processor.bootstrap import bootstrap
from services.processor.domain.preconditions import Precondition
from services.processor.domain.stored_pipelines import StoredPipeline
from services.processor.domain.trigger_events import ScheduledEvent, parse_trigger
from services.processor.flows.keep_schedule import KeepSchedule
from services.processor.resources import TriggerFlows, work_queue
from services.processor.settings import ProcessorSettings
from services.processor.stores.work_queue import WorkQueue
from services.processor.triggering import TriggerConsumer
from shared.clients.items import to_item
from shared.testing.tokens import TokenFactory
from shared.tokens.revocation import EVERYTHING, Revocation, Target
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Life, When, caller_of, life, until_dead
from tests.service.processor.running import Processor, processor, worker
from tests.support.names import unique_name
from tests.support.waiting import eventually

OWNER = "usr_ada"
DAY = 86_400
CONFIG: dict[str, object] = {"filter_condition": "n > 1", "stamp": False}
BY_OBJECT: list[object] = [{"s3": {"suffix": ".ndjson"}}]
BY_CLOCK: list[object] = [{"schedule": "rate(1 day)"}]


@pytest.fixture
async def triggered(make_settings: MakeSettings) -> ProcessorSettings:
    settings = make_settings(trigger_queue_name=unique_name("triggers"))
    await bootstrap(settings)
    return settings


@pytest.fixture
async def running(triggered: ProcessorSettings, tokens: TokenFactory) -> AsyncIterator[Processor]:
    """A processor that runs what is triggered."""
    async with processor(triggered, tokens, OWNER) as one:
        yield one


@dataclass
class Stepped:
    """A processor that does only what a test lets it do."""

    one: Life
    queue: WorkQueue

    @property
    def flows(self) -> TriggerFlows:
        flows = self.one.as_processor.triggers
        assert flows is not None
        return flows

    @property
    def consumer(self) -> TriggerConsumer:
        return TriggerConsumer(self.queue, self.flows.run_triggered, self.one.settings, draining=lambda: False)

    async def store(
        self,
        name: str,
        triggers: list[object],
        *,
        owner: str = OWNER,
        source: object = None,
        config: dict[str, object] = CONFIG,
    ) -> StoredPipeline:
        caller = caller_of(owner, int(self.one.now()))
        stored, _ = await self.one.as_processor.store_pipeline(
            caller, name, source, config, triggers, precondition=Precondition()
        )
        return stored

    async def standing(self, name: str) -> StoredPipeline:
        pipeline = await self.one.stores.pipelines.get(OWNER, name)
        assert pipeline is not None
        return pipeline

    async def put(self, name: str, owner: str = OWNER) -> str:
        """An object among the inputs; what S3 told of it, taken out of the queue."""
        key = f"inputs/{owner}/{name}"
        await self.one.stores.s3.put_object(Bucket=self.one.settings.bucket, Key=key, Body=b'{"n": 2}\n')
        told: list[str] = []

        async def was_told() -> bool:
            for delivery in await self.queue.receive(most=10, wait_seconds=0, visibility_seconds=60):
                await self.queue.done(delivery)
                told.extend([delivery.raw_body] if parse_trigger(delivery.raw_body) else [])
            return bool(told)

        await eventually(was_told)
        [body] = told
        return body

    async def send(self, body: str) -> None:
        await self.queue.sqs.send_message(QueueUrl=await self.queue.url.get(), MessageBody=body)

    async def run(self, body: str) -> None:
        """The message comes, and is worked on."""
        await self.send(body)
        assert await self.consumer.work_once(wait_seconds=1) == 1

    async def jobs(self, owner: str = OWNER) -> list[str]:
        listed, _ = await self.one.stores.jobs.page_of(owner, after=None, limit=50, state=None)
        return sorted(job.processing_id for job in listed)

    async def rule(self) -> Any:  # noqa: ANN401 - as EventBridge has it
        """The only rule of this queue, and its targets; None: there is none."""
        arn = (
            await self.queue.sqs.get_queue_attributes(QueueUrl=await self.queue.url.get(), AttributeNames=["QueueArn"])
        )["Attributes"]["QueueArn"]
        events = self.one.stores.schedule_rules._events  # type: ignore[union-attr]
        names = (await events.list_rule_names_by_target(TargetArn=arn))["RuleNames"]
        if not names:
            return None
        [name] = names
        rule, targets = await events.describe_rule(Name=name), await events.list_targets_by_rule(Rule=name)
        return rule["ScheduleExpression"], targets["Targets"]


@asynccontextmanager
async def stepping(settings: ProcessorSettings) -> AsyncIterator[Stepped]:
    async with life(settings) as one:
        yield Stepped(one, work_queue(one.stores.queue.sqs, settings, settings.trigger_queue_name or ""))


@pytest.fixture
async def stepped(triggered: ProcessorSettings) -> AsyncIterator[Stepped]:
    async with stepping(triggered) as one:
        for trial in await one.queue.receive(most=10, wait_seconds=0, visibility_seconds=60):  # S3's own
            await one.queue.done(trial)
        yield one


def moment(pipeline: str, time: str = "2026-12-01T06:00:00Z", owner: str = OWNER) -> str:
    """What EventBridge sends then."""
    return json.dumps({"mayfly-schedule": {"owner": owner, "pipeline": pipeline, "time": time}})


async def test_an_object_that_arrives_is_run_by_the_pipelines_that_wait_for_it(running: Processor) -> None:
    stored = await running.http.put("/api/pipelines/large", json={"config": CONFIG, "triggers": BY_OBJECT})
    folder = f"inputs/{OWNER}/"
    assert stored.json()["triggers"] == [
        {"s3": {"bucket": running.settings.bucket, "prefix": folder, "suffix": ".ndjson"}}
    ]
    assert stored.json()["armed"]
    assert not (await running.http.put("/api/pipelines/by-hand", json={"config": {}})).json()["armed"]
    async with worker(running.settings):
        await running.put("other.csv", b"n\n1\n")
        source = await running.put("a b+ä.ndjson", b'{"n": 1}\n{"n": 2}\n')
        ended: list[str] = []

        async def has_ended() -> bool:
            jobs = (await running.http.get("/api/process")).json()["jobs"]
            ended[:] = [job["processing_id"] for job in jobs if job["status"] == "completed"]
            return bool(ended)

        await eventually(has_ended, timeout_seconds=20)
        [processing_id] = ended
        assert processing_id.startswith("large-")
        assert await running.result(processing_id) == b'{"n":2}\n'
        manifest = await running.manifest(processing_id)
        assert manifest is not None
        assert manifest["request"]["data_source"] == source


async def test_the_same_event_again_is_the_same_job_and_a_new_object_another(stepped: Stepped) -> None:
    await stepped.store("large", BY_OBJECT)
    for body in [await stepped.put("n.ndjson") for _ in range(2)] * 3:
        await stepped.run(body)
    assert len(await stepped.jobs()) == 2


async def test_the_same_moment_again_is_the_same_job_and_the_next_one_another(stepped: Stepped) -> None:
    await stepped.store("daily", BY_CLOCK, source="test")
    for time in ("2026-12-01T06:00:00Z", "2026-12-01T06:00:00Z", "2026-12-02T06:00:00Z"):
        await stepped.run(moment("daily", time))
    jobs = await stepped.jobs()
    assert len(jobs) == 2
    assert all(job.startswith("daily-") for job in jobs)


async def test_a_triggered_job_is_done_by_a_worker_that_believes_no_record(stepped: Stepped) -> None:
    await stepped.store("daily", BY_CLOCK, source="test")
    await stepped.run(moment("daily"))
    assert await stepped.one.work_once(wait_seconds=1) == 1
    [listed], _ = await stepped.one.stores.jobs.page_of(OWNER, after=None, limit=5, state=None)
    assert listed.state.value == "failed"  # the sample has no column n; it was planned, so its context was believed
    assert listed.outcome is not None
    assert listed.outcome.error is not None
    assert listed.outcome.error.code == "invalid-pipeline"


async def test_a_pipeline_that_was_changed_between_two_deliveries_runs_once(stepped: Stepped) -> None:
    await stepped.store("large", BY_OBJECT)
    told = await stepped.put("n.ndjson")
    await stepped.run(told)
    await stepped.store("large", BY_OBJECT, config={})
    await stepped.run(told)
    assert len(await stepped.jobs()) == 1
    assert await stepped.queue.waiting() == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["dynamodb.Query", "dynamodb.PutItem", "sqs.SendMessage", "sqs.DeleteMessage"])
async def test_who_dies_while_it_accepts_loses_nothing_and_doubles_nothing(
    triggered: ProcessorSettings, call: str, when: When
) -> None:
    async with stepping(triggered) as dying, stepping(triggered) as other:
        await other.store("large", BY_OBJECT)
        told = await other.put("n.ndjson")
        await other.send(told)
        dying.one.calls.die_around(call, when)
        assert await until_dead(dying.consumer.work_once(wait_seconds=1))
        await other.run(told)  # as SQS does when the message is visible again
        assert len(await other.jobs()) == 1


async def test_another_owner_s_pipeline_does_not_see_it(stepped: Stepped) -> None:
    await stepped.store("large", BY_OBJECT, owner="usr_other")
    await stepped.run(await stepped.put("n.ndjson"))
    assert await stepped.jobs("usr_other") == []


async def test_at_a_quota_the_event_waits(triggered: ProcessorSettings) -> None:
    async with stepping(triggered.model_copy(update={"max_open_jobs": 1})) as strict:
        await strict.store("large", BY_OBJECT)
        await strict.one.submit(OWNER, "open", "test", {})
        await strict.run(await strict.put("n.ndjson"))
        assert await strict.jobs() == ["open"]
        caller = caller_of(OWNER, int(strict.one.now()))
        await strict.one.as_processor.cancel_job(caller.user_id, "open")

        async def accepted() -> bool:
            await strict.consumer.work_once(wait_seconds=1)
            return len(await strict.jobs()) == 2

        await eventually(accepted, timeout_seconds=10)


@pytest.mark.parametrize(
    "body",
    [
        '{"Records": [{"eventName": "ObjectCreated:Put"}]}',
        '{"mayfly-schedule": {"owner": "usr_ada", "pipeline": "daily"}}',
        '{"mayfly-schedule": {"owner": "usr_ada", "pipeline": "daily", "time": "<time>"}}',
        '{"mayfly-schedule": 7}',
        "[]",
        "no JSON",
    ],
)
async def test_what_nobody_understands_goes_to_the_dead_letter_queue(stepped: Stepped, body: str) -> None:
    await stepped.run(body)
    assert (await stepped.one.stores.queue.depth()).dead == 1


async def test_a_bucket_keeps_its_other_notifications(triggered: ProcessorSettings, stepped: Stepped) -> None:
    s3, bucket = stepped.one.stores.s3, triggered.bucket
    found = await s3.get_bucket_notification_configuration(Bucket=bucket)
    [ours] = found["QueueConfigurations"]
    theirs: Any = {**ours, "Id": "theirs", "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "jobs/"}]}}}
    await s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [theirs]}
    )
    await bootstrap(triggered)
    found = await s3.get_bucket_notification_configuration(Bucket=bucket)
    assert {each["Id"] for each in found["QueueConfigurations"]} == {"theirs", ours["Id"]}


# Who stands behind a pipeline that runs by itself.


@pytest.mark.parametrize("target", [Target("user", OWNER), Target("client", "its client"), EVERYTHING], ids=str)
async def test_a_revocation_of_who_stored_it_disarms_it_until_it_is_stored_again(
    stepped: Stepped, target: Target
) -> None:
    claims = caller_of(OWNER, int(stepped.one.now())).claims
    if target.kind == "client":
        target = Target("client", claims.client_id)
    await stepped.store("large", BY_OBJECT)
    now = int(stepped.one.now())
    stepped.one.heard.revoked.add(Revocation(target, now, now + DAY))
    await stepped.run(await stepped.put("n.ndjson"))
    assert await stepped.jobs() == []
    assert not (await stepped.standing("large")).is_armed
    stepped.one.ahead_seconds += 2
    again = await stepped.store("large", BY_OBJECT)
    assert again.is_armed
    assert again.etag == (await stepped.standing("large")).etag
    await stepped.run(await stepped.put("n.ndjson"))
    assert len(await stepped.jobs()) == 1


async def test_while_nobody_knows_of_revocations_the_event_waits(stepped: Stepped) -> None:
    await stepped.store("large", BY_OBJECT)
    told = await stepped.put("n.ndjson")
    stepped.one.heard.age_seconds = 60
    stepped.one.direct._table = "nowhere"
    await stepped.run(told)
    assert await stepped.jobs() == []
    assert (await stepped.standing("large")).is_armed


async def test_its_context_is_made_anew_before_its_day_is_over(stepped: Stepped) -> None:
    await stepped.store("large", BY_OBJECT)
    contexts = {(await stepped.standing("large")).context}
    for _ in range(9):
        stepped.one.ahead_seconds += DAY / 3
        assert await stepped.flows.keep_triggers() == 1
        assert await stepped.flows.keep_triggers() == 0
        contexts.add((await stepped.standing("large")).context)
    assert len(contexts) == 10
    await stepped.run(await stepped.put("n.ndjson"))
    assert len(await stepped.jobs()) == 1


@pytest.mark.parametrize("target", [Target("user", OWNER), Target("key", "key_1")], ids=str)
async def test_a_revocation_that_is_found_when_it_is_due_disarms_it(stepped: Stepped, target: Target) -> None:
    await stepped.store("daily", BY_CLOCK, source="test")
    now = int(stepped.one.now())
    stepped.one.heard.revoked.add(Revocation(target, now, now + DAY))
    stepped.one.ahead_seconds += 300
    await stepped.flows.keep_triggers()
    assert not (await stepped.standing("daily")).is_armed
    assert await stepped.rule() is None
    assert await stepped.flows.keep_triggers() == 0


async def test_what_nobody_has_looked_after_for_a_day_is_disarmed(stepped: Stepped) -> None:
    """Revocations of the meantime may be forgotten."""
    await stepped.store("large", BY_OBJECT)
    stepped.one.ahead_seconds += DAY + 1
    await stepped.run(await stepped.put("n.ndjson"))
    assert await stepped.jobs() == []
    assert not (await stepped.standing("large")).is_armed


@pytest.mark.parametrize("attribute", ["pipeline_text", "triggers"])
async def test_a_record_that_somebody_has_changed_runs_nothing(stepped: Stepped, attribute: str) -> None:
    await stepped.store("large", BY_OBJECT, config={"stamp": False})
    told = await stepped.put("n.ndjson")
    stored = await stepped.standing("large")
    theirs = {
        "pipeline_text": '{"config":{"stamp":true},"data_source":null}',
        "triggers": json.dumps([{"s3": {"bucket": stepped.one.settings.bucket, "prefix": "inputs/", "suffix": ""}}]),
    }
    await stepped.one.stores.dynamodb.update_item(
        TableName=stepped.one.stores.jobs.table,
        Key=to_item({"pk": f"PIPELINES#{OWNER}", "sk": stored.name}),
        UpdateExpression=f"SET {attribute} = :theirs",
        ExpressionAttributeValues=to_item({":theirs": theirs[attribute]}),
    )
    await stepped.run(told)
    assert await stepped.jobs() == []
    assert not (await stepped.standing("large")).is_armed


# EventBridge's rules.


async def test_a_schedule_is_a_rule_of_eventbridge_that_sends_its_moments(stepped: Stepped) -> None:
    await stepped.store("daily", BY_CLOCK, source="test", owner='usr_"<a>')
    expression, [target] = await stepped.rule()
    assert expression == "rate(1 day)"
    assert target["InputTransformer"]["InputPathsMap"] == {"time": "$.time"}
    template = target["InputTransformer"]["InputTemplate"]
    time = "2026-12-01T06:00:00Z"
    assert parse_trigger(template.replace("<time>", time)) == (ScheduledEvent('usr_"<a>', "daily", time),)


async def test_a_rule_follows_its_pipeline(stepped: Stepped) -> None:
    await stepped.store("daily", BY_CLOCK, source="test")
    await stepped.store("daily", [{"schedule": "cron(0 6 ? * MON-FRI *)"}], source="test")
    assert (await stepped.rule())[0] == "cron(0 6 ? * MON-FRI *)"
    await stepped.store("daily", [], source="test")
    assert await stepped.rule() is None
    await stepped.store("daily", BY_CLOCK, source="test")
    await stepped.one.as_processor.delete_pipeline(OWNER, "daily", Precondition())
    assert await stepped.rule() is None


async def test_a_rule_that_could_not_be_made_is_made_when_it_is_looked_after(
    stepped: Stepped, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dead:
        dead.setattr(KeepSchedule, "at_once", _nothing)
        await stepped.store("daily", BY_CLOCK, source="test")
        stepped.one.ahead_seconds += 61
        await stepped.flows.keep_triggers()
    assert await stepped.rule() is None
    for _ in range(2):
        stepped.one.ahead_seconds += 61
        await stepped.flows.keep_triggers()
        assert (await stepped.rule())[0] == "rate(1 day)"
    assert await stepped.flows.keep_triggers() == 0


async def test_a_rule_that_was_left_behind_runs_nothing_and_goes(
    stepped: Stepped, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stepped.store("daily", BY_CLOCK, source="test")
    with monkeypatch.context() as dead:
        dead.setattr(KeepSchedule, "at_once", _nothing)
        await stepped.one.as_processor.delete_pipeline(OWNER, "daily", Precondition())
    assert await stepped.rule() is not None
    await stepped.run(moment("daily"))
    assert (await stepped.jobs(), await stepped.rule()) == ([], None)


async def test_who_changes_a_schedule_while_another_does_leaves_the_last_one(stepped: Stepped) -> None:
    await stepped.store("daily", BY_CLOCK, source="test")
    flows = stepped.flows.keep_triggers.keep_schedule
    put, changes = flows.rules.put, [[{"schedule": "rate(2 days)"}], [{"schedule": "rate(3 days)"}]]

    class Interrupted:
        remove = flows.rules.remove

        async def put(self, owner: str, pipeline: str, expression: str) -> None:
            if changes:
                await stepped.store("daily", [*changes.pop(0)], source="test")
            await put(owner, pipeline, expression)

    await replace(flows, rules=Interrupted())(OWNER, "daily")  # type: ignore[arg-type]
    assert (await stepped.rule())[0] == "rate(3 days)"


async def _nothing(*_: object) -> bool:
    """As if the process had died before, or EventBridge had not answered."""
    return False


# What a client may write.


@pytest.mark.parametrize(
    ("triggers", "pointer"),
    [
        ([{"s3": {"prefix": "inputs/usr_other/"}}], "/triggers/0/s3/prefix"),
        ([{"s3": {"prefix": "inputs/usr_adam"}}], "/triggers/0/s3/prefix"),
        ([{"s3": {"bucket": "elsewhere"}}], "/triggers/0/s3/bucket"),
        ([{"s3": {"sufix": ".csv"}}], "/triggers/0/s3/sufix"),
        ([{"s3": {"suffix": 7}}], "/triggers/0/s3/suffix"),
        ([{"s3": None}], "/triggers/0/s3"),
        ([{"schedule": "hourly"}], "/triggers/0/schedule"),
        ([{"schedule": "rate(1 hour)"}], "/triggers/0/schedule"),  # it says not what to read
        ([{"schedule": "rate(1 hour)"}, {"schedule": "rate(1 day)"}], "/triggers/1"),
        ([{"s3": {}, "schedule": "rate(1 hour)"}], "/triggers/0"),
        ([{}], "/triggers/0"),
        ([{"s3": {}}] * 11, "/triggers"),
    ],
)
async def test_a_wrong_trigger_is_named(running: Processor, triggers: object, pointer: str) -> None:
    answer = await running.http.put("/api/pipelines/wrong", json={"triggers": triggers})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_without_a_queue_for_it_nothing_has_triggers(make_settings: MakeSettings, tokens: TokenFactory) -> None:
    settings = make_settings()
    async with processor(settings, tokens, OWNER) as one:
        answer = await one.http.put("/api/pipelines/large", json={"triggers": BY_OBJECT})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/triggers")
        assert (await one.http.put("/api/pipelines/large", json={"triggers": []})).status_code == 201


async def test_a_change_of_triggers_alone_is_a_change(stepped: Stepped) -> None:
    first = await stepped.store("large", BY_OBJECT)
    second = await stepped.store("large", [])
    assert (second.triggers, second.is_armed) == ((), False)
    assert first.etag != second.etag


def test_s3_s_trial_message_and_deletions_are_nothing_to_run() -> None:
    assert parse_trigger('{"Service": "Amazon S3", "Event": "s3:TestEvent"}') == ()
    assert parse_trigger(json.dumps({"Records": [{"eventName": "ObjectRemoved:Delete"}]})) == []
