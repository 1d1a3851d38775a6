"""A worker believes a job's context and nothing else of its record, and asks who was revoked before each piece."""

import json
import math
from collections.abc import Awaitable, Callable

import pytest

from services.processor.domain.contexts import ContextIssuer, Requester
from services.processor.domain.job_names import JobKey, JobRequest
from services.processor.domain.jobs import Job
from services.processor.domain.outcomes import JobError, JobState
from shared import clock
from shared.clients.items import from_item, to_item
from shared.errors import Unavailable
from shared.testing.tokens import new_signing_key
from shared.tokens.claims import LAST_SECOND, Parent
from shared.tokens.pem_keys import generate_pem
from shared.tokens.revocation import EVERYTHING, Revocation, Target
from shared.tokens.revocation_keys import TABLE as REVOCATIONS_TABLE
from shared.tokens.revocation_keys import to_row
from tests.service.processor.conftest import CONTEXT_KEY, MakeSettings
from tests.service.processor.lives import Call, Life, When, caller_of, life, submit_test_job, take
from tests.service.processor.running import Processor, worker
from tests.support.stored_revocations import announce
from tests.support.waiting import eventually

OWNER, VICTIM = "usr_ada", "usr_bob"
KEY = JobKey(OWNER, "job")
CONFIG: dict[str, object] = {"stamp": False}
REFUSED = (JobState.FAILED, "context-refused")
REVOKED = (JobState.CANCELLED, "caller-revoked")


async def rewrite(one: Life, attributes: dict[str, object], sort_key: str = "META") -> None:
    """As somebody does who may write to the table and has no key. None takes the attribute out."""
    table, key = one.stores.jobs.table, {"pk": f"JOB#{OWNER}#job", "sk": sort_key}
    answer = await one.stores.dynamodb.get_item(TableName=table, Key=to_item(key))
    values = {**key, **from_item(answer.get("Item", {})), **attributes}
    kept = {name: value for name, value in values.items() if value is not None}
    await one.stores.dynamodb.put_item(TableName=table, Item=to_item(kept))


async def end_of(one: Life) -> tuple[JobState, str]:
    """How the job has ended and the code of its error, of which record and manifest say the same."""
    state, error = await error_of(one)
    return state, error.code


async def error_of(one: Life) -> tuple[JobState, JobError]:
    job = await one.stores.jobs.get(KEY)
    assert job is not None
    assert job.outcome is not None
    assert job.outcome.error is not None
    manifest = json.loads(await one.stores.files.manifest(KEY) or b"{}")
    assert (manifest["status"], manifest["error"]["code"]) == (job.state, job.outcome.error.code)
    return job.state, job.outcome.error


async def state_of(one: Life) -> JobState:
    job = await one.stores.jobs.get(KEY)
    assert job is not None
    return job.state


async def names(one: Life, key: JobKey = KEY) -> list[str]:
    found = await one.stores.s3.list_objects_v2(Bucket=one.settings.bucket, Prefix=key.folder)
    return [entry["Key"].removeprefix(key.folder) for entry in found.get("Contents", [])]


def theirs(one: Life) -> JobRequest:
    """What somebody would like to read."""
    return JobRequest(f"s3://{one.settings.bucket}/inputs/{VICTIM}/secret.ndjson", CONFIG)


async def another_request(one: Life) -> dict[str, object]:
    return {"request": theirs(one).text}


async def no_context(one: Life) -> dict[str, object]:
    return {"context": None}


async def the_context_of_another_job(one: Life) -> dict[str, object]:
    other = await one.submit(OWNER, "other", "test", CONFIG)
    return {"context": other.context}


async def the_context_of_another_user(one: Life) -> dict[str, object]:
    other = await one.submit(VICTIM, "job", "test", CONFIG)
    return {"context": other.context, "owner": VICTIM}


async def a_context_of_a_key_of_their_own(one: Life) -> dict[str, object]:
    job = Job(KEY, theirs(one), round(one.now() * 1000))
    issuer = ContextIssuer(new_signing_key("ES256"), one.settings.audience, 3600)
    requester = Requester.of(caller_of(OWNER, int(one.now())).claims)
    return {"request": job.request.text, "context": issuer.sign(job.subject, requester, int(one.now()))}


FORGERIES: list[Callable[[Life], Awaitable[dict[str, object]]]] = [
    another_request,
    no_context,
    the_context_of_another_job,
    the_context_of_another_user,
    a_context_of_a_key_of_their_own,
]


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_job_whose_record_was_tampered_with_never_runs_and_says_why(
    make_settings: MakeSettings, forgery: Callable[[Life], Awaitable[dict[str, object]]]
) -> None:
    async with life(make_settings()) as one:
        delivery = await submit_test_job(one, OWNER)
        await rewrite(one, await forgery(one))
        await one.consumer._handle(delivery)
        state, error = await error_of(one)
        assert (state, error.code) == REFUSED
        assert "does not prove who asked for it" in error.detail
        assert await names(one) == ["manifest.json"]
        assert (await one.stores.queue.depth()).dead == 1


async def test_a_job_that_is_made_to_run_by_its_record_alone_runs_no_part(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        await one.submit(OWNER, "other", "test", CONFIG)
        assert await one.work_once(wait_seconds=1) == 1
        plan = await one.stores.files.plan(JobKey(OWNER, "other"))
        assert plan is not None
        delivery = await submit_test_job(one, OWNER)
        await one.stores.files.decide_plan(KEY, plan.decode().replace('"request_sha256":"', '"request_sha256":"0'))
        await one.consumer._handle(delivery)
        state, error = await error_of(one)
        assert (state, error.code) == REFUSED
        assert "the plan of another request" in error.detail
        assert await names(one) == ["manifest.json", "plan.json"]


async def test_whose_a_job_is_and_where_its_parts_lie_is_not_read_from_attributes(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        delivery = await submit_test_job(one, OWNER)
        await rewrite(one, {"owner": VICTIM, "processing_id": "theirs"})
        done = {"sha256": "ab", "object_key": f"jobs/{VICTIM}/theirs/data/secret", "fence": 1}
        await rewrite(one, dict(done), "PART#00000")
        await one.consumer._handle(delivery)
        assert await state_of(one) is JobState.COMPLETED
        manifest = json.loads(await one.stores.files.manifest(KEY) or b"{}")
        assert (manifest["owner"], manifest["processing_id"]) == (OWNER, "job")
        assert [part["key"].startswith(f"{KEY.folder}data/") for part in manifest["parts"]] == [True]
        assert await names(one, JobKey(VICTIM, "theirs")) == []


async def submitted(one: Life, at: int, **claims: object) -> None:
    """By a token of that second that was exchanged from one of ten seconds earlier."""
    parent = Parent("tok_0", "cli_0", at - 10, "key_0")._asdict()
    await one.submit(OWNER, "job", "test", CONFIG, iat=at, client_id="cli_1", exchanged_from=[parent], **claims)


TARGETS = [
    (Target("user", OWNER), 0),
    (Target("client", "cli_1"), 0),
    (Target("key", "key_1"), -1000),
    (EVERYTHING, 0),
    (Target("user", OWNER), -10),
    (Target("client", "cli_0"), -10),
    (Target("key", "key_0"), -1000),
    (EVERYTHING, -10),
]
OTHERS = [
    (Target("sid", "ses_1"), 0),
    (Target("jti", "tok_1"), 0),
    (Target("jti", "tok_0"), 0),
    (Target("user", OWNER), -11),
    (Target("client", "cli_1"), -1),
    (Target("client", "cli_0"), -11),
    (EVERYTHING, -11),
    (Target("user", VICTIM), 0),
]


@pytest.mark.parametrize(("target", "seconds"), TARGETS)
async def test_a_job_whose_caller_was_revoked_while_it_waited_is_cancelled(
    make_settings: MakeSettings, target: Target, seconds: int
) -> None:
    async with life(make_settings()) as one:
        at = int(one.now())
        await submitted(one, at)
        one.heard.revoked.add(Revocation(target, at + seconds, LAST_SECOND))
        assert await one.work_once(wait_seconds=1) == 1
        assert one.calls.seen[-1] == "sqs.DeleteMessage"
        assert await end_of(one) == REVOKED
        assert await names(one) == ["manifest.json"]


async def test_the_end_of_a_session_or_of_something_else_does_not_cancel(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        at = int(one.now())
        for target, seconds in OTHERS:
            one.heard.revoked.add(Revocation(target, at + seconds, LAST_SECOND))
        await submitted(one, at, sid="ses_1", jti="tok_1")
        assert await one.work_once(wait_seconds=1) == 1
        assert await state_of(one) is JobState.COMPLETED


async def test_who_is_revoked_between_two_pieces_of_work_gets_no_more_of_it(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:

        def revoke_when_it_is_planned(when: When, call: Call) -> None:
            if when == "after" and call.path.endswith("plan.json"):
                one.heard.revoked.add(Revocation(Target("user", OWNER), LAST_SECOND, LAST_SECOND))

        delivery = await submit_test_job(one, OWNER)
        one.calls.handler = revoke_when_it_is_planned
        await one.consumer._handle(delivery)
        assert await end_of(one) == REVOKED
        assert await names(one) == ["manifest.json", "plan.json"]


async def test_what_can_not_be_known_now_is_asked_later_and_nothing_is_lost(make_settings: MakeSettings) -> None:
    def nothing_is_told(when: When, call: Call) -> None:
        if when == "before" and call.name == "dynamodb.BatchGetItem":
            raise Unavailable("DynamoDB does not answer.")

    async with life(make_settings(max_attempts=2)) as one:
        delivery = await submit_test_job(one, OWNER)
        one.heard.age_seconds, one.calls.handler = math.inf, nothing_is_told
        for _ in range(4):  # more often than a piece of work may be tried
            await one.consumer._handle(delivery)
            assert one.calls.seen[-1] == "sqs.ChangeMessageVisibility"
            assert await state_of(one) is JobState.ACCEPTED
        one.calls.handler = None
        await one.consumer._handle(delivery)
        assert await state_of(one) is JobState.COMPLETED


async def test_the_truth_is_read_where_nothing_is_heard_and_only_there(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        row = to_row(Revocation(Target("user", OWNER), LAST_SECOND, LAST_SECOND), revoked_at_ms=0)
        await one.stores.dynamodb.put_item(TableName=one.settings.table_prefix + REVOCATIONS_TABLE, Item=row)
        await one.submit(OWNER, "fresh", "test", CONFIG)
        assert await one.work_once(wait_seconds=1) == 1
        assert "dynamodb.BatchGetItem" not in one.calls.seen
        one.heard.age_seconds = one.settings.revocation_max_staleness_seconds + 0.1
        await one.consumer._handle(await submit_test_job(one, OWNER))
        assert await end_of(one) == REVOKED
        assert one.calls.seen.count("dynamodb.BatchGetItem") == 1


async def test_the_key_can_be_changed_while_jobs_wait(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        await one.submit(OWNER, "job", "test", CONFIG)
        one.settings = make_settings(context_key=generate_pem("ES256"), context_other_keys=CONTEXT_KEY)
        await one.submit(OWNER, "next", "test", CONFIG)
        while await one.work_once(wait_seconds=1):
            pass
        next_job = await one.stores.jobs.get(JobKey(OWNER, "next"))
        assert next_job is not None
        assert (await state_of(one), next_job.state) == (JobState.COMPLETED, JobState.COMPLETED)


async def test_a_key_that_is_not_believed_any_more_proves_nothing(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        await one.submit(OWNER, "job", "test", CONFIG)
        one.settings = make_settings(context_key=generate_pem("ES256"))
        await one.consumer._handle(await take(one))
        assert await end_of(one) == REFUSED


async def test_everyone_who_asks_is_told_that_the_caller_was_revoked(idle_processor: Processor) -> None:
    http, owner, now = idle_processor.http, idle_processor.owner, int(clock.now())
    await idle_processor.submit("test", processing_id="job", prefer="respond-async")
    await announce([Revocation(Target("user", owner), now, now + 3600)], idle_processor.settings.redis_url)
    http.headers.update(idle_processor.headers_of(owner, iat=now + 1))
    async with worker(idle_processor.settings):
        status = await idle_processor.status("job", wait=20)
    assert (status["status"], status["error"]["code"]) == ("cancelled", "caller-revoked")
    assert "revoked" in status["error"]["detail"]
    [listed] = (await http.get("/api/process")).json()["jobs"]
    assert listed["error"] == status["error"]
    assert '"caller-revoked"' in (await http.get("/api/status/job/events")).text
    result = await http.get("/api/results/job")
    assert (result.status_code, result.json()["code"]) == (409, "job-cancelled")
    repeated = await idle_processor.submit("test", processing_id="job")
    assert (repeated.status_code, repeated.json()["code"]) == (409, "caller-revoked")


async def test_who_logs_out_gets_the_result_of_their_job_all_the_same(idle_processor: Processor) -> None:
    http, owner, now = idle_processor.http, idle_processor.owner, int(clock.now())
    http.headers.update(idle_processor.headers_of(owner, sid="ses_1"))
    await idle_processor.submit("test", processing_id="job", prefer="respond-async")
    await announce([Revocation(Target("sid", "ses_1"), now, now + 3600)], idle_processor.settings.redis_url)
    await eventually(lambda: _is_refused(idle_processor))
    http.headers.update(idle_processor.headers_of(owner))
    async with worker(idle_processor.settings):
        assert (await idle_processor.status("job", wait=20))["status"] == "completed"


async def _is_refused(processor: Processor) -> bool:
    return (await processor.http.get("/api/process")).status_code == 401
