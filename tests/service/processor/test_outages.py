"""What we depend on does not answer: a 503 that says when to come back, or work that is done later; nothing is lost."""

import pytest
from botocore.exceptions import EndpointConnectionError

from services.processor.domain.job_names import JobKey
from services.processor.domain.outcomes import JobState
from services.processor.main import create_app
from shared.testing.ports import free_port
from shared.testing.tokens import TokenFactory
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Call, Handler, Life, When, life
from tests.service.processor.running import Processor, living
from tests.support.waiting import eventually

OWNER = "usr_ada"
KEY = JobKey(OWNER, "job")


def down(service: str, *, times: int = 1000) -> Handler:
    """Calls of this service don't get through, so many times."""
    left = [times]

    def refuse(when: When, call: Call) -> None:
        if when == "before" and call.name.startswith(service) and left[0] > 0:
            left[0] -= 1
            raise EndpointConnectionError(endpoint_url="http://gone")

    return refuse


async def put_input(one: Life) -> str:
    key = f"inputs/{OWNER}/n.ndjson"
    await one.stores.s3.put_object(Bucket=one.settings.bucket, Key=key, Body=b'{"n": 1}\n')
    return f"s3://{one.settings.bucket}/{key}"


async def test_s3_that_is_down_costs_a_job_time_and_no_attempt(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        await one.submit(OWNER, "job", await put_input(one), {})
        one.calls.handler = down("s3.")
        assert await one.work_once(wait_seconds=1) == 1
        waiting = await one.stores.jobs.get(KEY)
        assert waiting is not None
        assert (waiting.state, waiting.lease.attempts, waiting.lease.until_ms) == (JobState.ACCEPTED, 0, 0)
        one.calls.handler = None
        job = await one.finish(KEY)
        assert job.state is JobState.COMPLETED


async def test_a_download_that_breaks_off_is_tried_again(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        await one.submit(OWNER, "job", await put_input(one), {})
        one.calls.handler = down("s3.GetObject", times=2)
        await one.work_once(wait_seconds=1)
        job = await one.finish(KEY)
        assert job.state is JobState.COMPLETED


async def test_a_range_that_breaks_off_is_read_again_within_the_part(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        await one.submit(OWNER, "job", await put_input(one), {})
        failures = [EndpointConnectionError(endpoint_url="http://gone")] * 2

        def refuse(when: When, call: Call) -> None:
            if when == "before" and "If-Match" in call.request["headers"] and failures:
                raise failures.pop()

        one.calls.handler = refuse
        await one.work_once(wait_seconds=1)
        job = await one.stores.jobs.get(KEY)
        assert job is not None
        assert (job.state, failures) == (JobState.COMPLETED, [])


async def test_a_failure_that_nobody_foresaw_counts_as_an_attempt(make_settings: MakeSettings) -> None:
    async with life(make_settings(max_attempts=1)) as one:
        await one.submit(OWNER, "job", "test", {})

        def fail(when: When, call: Call) -> None:
            if when == "before" and "plan.json" in call.path:
                raise ZeroDivisionError

        one.calls.handler = fail
        await one.work_once(wait_seconds=1)
        failed_once = await one.stores.jobs.get(KEY)
        assert failed_once is not None
        assert (failed_once.lease.attempts, failed_once.lease.until_ms) == (1, 0)
        one.calls.handler = None
        job = await one.finish(KEY)
        assert job.outcome is not None
        assert job.outcome.error is not None
        assert job.outcome.error.detail.startswith("the plan was tried 1 times in vain")


async def test_a_record_that_can_not_be_written_is_written_by_the_next_one(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        await one.submit(OWNER, "job", "test", {})
        one.calls.handler = down("dynamodb.UpdateItem", times=1)  # the plan's lease
        await one.work_once(wait_seconds=1)
        job = await one.finish(KEY)
        assert job.state is JobState.COMPLETED


@pytest.mark.parametrize("is_joined", [False, True])
async def test_an_object_that_is_replaced_while_the_job_runs_fails_it_by_name(
    make_settings: MakeSettings, *, is_joined: bool
) -> None:
    async with life(make_settings()) as one, life(one.settings) as somebody:
        source = await put_input(one)
        if is_joined:
            steps = [{"rename": {"id": "n"}}, {"join": {"source": source, "on": ["n"]}}]
            await one.submit(OWNER, "job", "test", {"transformations": steps})
        else:
            await one.submit(OWNER, "job", source, {})

        async def replace(when: When, call: Call) -> None:
            if when == "after" and call.name == "s3.PutObject" and "plan.json" in call.path:
                key = source.removeprefix(f"s3://{one.settings.bucket}/")
                await somebody.stores.s3.put_object(Bucket=one.settings.bucket, Key=key, Body=b'{"n": 2}\n')

        one.calls.handler = replace
        await one.work_once(wait_seconds=1)
        job = await one.stores.jobs.get(KEY)
        assert job is not None and job.outcome is not None and job.outcome.error is not None  # noqa: PT018 - for mypy
        assert job.outcome.error.code == "source-changed"
        place = "config.transformations[1].join.source" if is_joined else "data_source"
        assert job.outcome.error.detail.startswith(f"{place}: {source} was replaced")


async def test_without_aws_each_route_says_503_and_the_process_lives(
    idle_processor: Processor, tokens: TokenFactory
) -> None:
    nowhere = idle_processor.settings.model_copy(update={"aws_endpoint_url": f"http://127.0.0.1:{free_port()}"})
    headers = {"authorization": f"Bearer {tokens.mint(sub=OWNER)}"}
    async with living(create_app(nowhere)) as http:

        async def callers_are_known() -> bool:
            checks = (await http.get("/readyz")).json()["checks"]
            return bool(checks["keys"]["ok"] and checks["revocations"]["ok"])

        await eventually(callers_are_known)
        for method, path, body in (
            ("POST", "/api/process", {"data_source": "test", "config": {}}),
            ("GET", "/api/process", None),
            ("GET", "/api/status/x", None),
            ("GET", "/api/results/x", None),
            ("POST", "/api/preview", {"data_source": f"s3://{nowhere.bucket}/inputs/{OWNER}/x.csv", "config": {}}),
        ):
            answer = await http.request(method, path, json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), answer.text
            assert answer.headers["retry-after"]
        ready = await http.get("/readyz")
        assert ready.status_code == 503
        checks = ready.json()["checks"]
        assert {name for name, check in checks.items() if not check["ok"]} == {"dynamodb", "s3", "queue"}
        assert (await http.get("/livez")).status_code == 200
