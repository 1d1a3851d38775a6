"""Cancel contends with success and failure for the one manifest: one wins, and all agree on it."""

import asyncio
import json

import pytest

from services.processor.domain.job_names import JobKey
from services.processor.domain.outcomes import JobState
from services.processor.domain.results import JobEnded
from services.processor.stores.work_queue import Delivery
from shared.errors import Unavailable
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Call, Life, Stall, When, life, submit_test_job
from tests.service.processor.running import Processor, worker

OWNER = "usr_ada"
KEY = JobKey(OWNER, "job")


async def cancel(one: Life, processing_id: str = "job") -> JobState:
    """The state that its owner is told."""
    try:
        progress = await one.as_processor.cancel_job(OWNER, processing_id)
    except JobEnded as ended:
        return JobState(str(ended.extensions["state"]))
    return progress.job.state


async def test_a_cancelled_job_is_cancelled_for_everyone_who_asks(idle_processor: Processor) -> None:
    http = idle_processor.http
    await idle_processor.submit("test", processing_id="job", prefer="respond-async")
    answer = await http.delete("/api/process/job")
    assert answer.status_code == 200, answer.text
    status = answer.json()["status"]
    assert (status["status"], status["error"]["code"]) == ("cancelled", "job-cancelled")
    assert status["cancelled_at"] is not None
    assert (status["processed_at"], status["failed_at"], status["result_location"]) == (None, None, None)
    assert (await http.delete("/api/process/job")).json() == answer.json()
    assert await idle_processor.status("job") == status
    [listed] = (await http.get("/api/process", params={"status": "cancelled"})).json()["jobs"]
    assert (listed["processing_id"], listed["cancelled_at"]) == ("job", status["cancelled_at"])
    result = await http.get("/api/results/job")
    assert (result.status_code, result.json()["code"]) == (409, "job-cancelled")
    assert "its owner cancelled it" in result.json()["detail"]
    repeated = await idle_processor.submit("test", processing_id="job")
    assert (repeated.status_code, repeated.json()["code"]) == (409, "job-cancelled")
    assert repeated.headers["location"] == "/api/status/job"


async def test_what_has_ended_otherwise_can_not_be_cancelled(idle_processor: Processor) -> None:
    async with worker(idle_processor.settings):
        await idle_processor.submit("test", processing_id="done")
        await idle_processor.submit("test", {"filter_condition": "nonsense = 1"}, processing_id="bad")
    for processing_id, state in (("done", "completed"), ("bad", "failed")):
        before = await idle_processor.status(processing_id)
        answer = await idle_processor.http.delete(f"/api/process/{processing_id}")
        assert (answer.status_code, answer.json()["code"]) == (409, "job-ended")
        assert (answer.json()["state"], answer.headers["location"]) == (state, f"/api/status/{processing_id}")
        assert await idle_processor.status(processing_id) == before


async def test_a_cancel_while_s3_is_away_changes_nothing_and_can_be_asked_again(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        await one.submit(OWNER, "job", "test", {})
        one.calls.handler = _s3_is_down
        with pytest.raises(Unavailable):
            await cancel(one)
        job = await one.stores.jobs.get(KEY)
        assert job is not None
        assert job.state is JobState.ACCEPTED
        one.calls.handler = None
        assert await cancel(one) is JobState.CANCELLED


def _s3_is_down(when: When, call: Call) -> None:
    if when == "before" and call.name.startswith("s3."):
        raise Unavailable("S3 does not answer.")


async def test_the_messages_of_a_cancelled_job_end_quietly(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one, life(one.settings) as owner:
        await one.submit(OWNER, "job", "test", {})
        await cancel(owner)
        one.ahead_seconds = 1000
        assert await one.sweep() == 0
        assert await one.work_once(wait_seconds=1) == 1
        assert one.calls.seen[-1] == "sqs.DeleteMessage"
        assert await names(one, "job") == ["manifest.json"]


async def names(one: Life, processing_id: str) -> list[str]:
    folder = JobKey(OWNER, processing_id).folder
    found = await one.stores.s3.list_objects_v2(Bucket=one.settings.bucket, Prefix=folder)
    return [entry["Key"].removeprefix(folder) for entry in found["Contents"]]


async def stopped_under_way(one: Life, delivery: Delivery, stall: Stall) -> None:
    """Returns when the work has ended although the call that it waits in was never let go."""
    one.calls.handler = stall
    working = asyncio.create_task(one.consumer._handle(delivery))
    await stall.reached.wait()
    async with life(one.settings) as owner:
        assert await cancel(owner) is JobState.CANCELLED
    await asyncio.wait_for(working, 60)


async def test_a_part_under_way_stops_at_the_next_heartbeat(make_settings: MakeSettings) -> None:
    async with life(make_settings(lease_seconds=0.6)) as one:
        await stopped_under_way(one, await submit_test_job(one, OWNER), Stall("s3.PutObject", "/data/"))
        assert one.calls.seen[-1] == "sqs.DeleteMessage"
        assert await names(one, "job") == ["manifest.json", "plan.json"]


async def test_planning_under_way_stops_at_the_next_heartbeat(make_settings: MakeSettings) -> None:
    async with life(make_settings(lease_seconds=0.6)) as one:
        await stopped_under_way(one, await submit_test_job(one, OWNER), Stall("s3.PutObject", "plan.json"))
        assert await names(one, "job") == ["manifest.json"]


async def test_a_cancel_at_any_call_of_the_work_leaves_one_outcome(make_settings: MakeSettings) -> None:
    settings = make_settings(lease_seconds=60, long_poll_seconds=0)
    async with life(settings) as one, life(settings) as owner:
        count = await calls_of_a_quiet_run(one)
        states = [await outcome_of_race(one, owner, number) for number in range(1, count + 1)]
    assert None not in states, states
    assert states[0] is JobState.CANCELLED
    assert states[-1] is JobState.COMPLETED


async def calls_of_a_quiet_run(one: Life) -> int:
    await one.reborn("quiet")
    await one.submit(OWNER, "quiet", "test", {"stamp": False})
    one.calls.seen.clear()
    assert await one.work_once() == 1
    return len(one.calls.seen)


async def outcome_of_race(one: Life, owner: Life, number: int) -> JobState | None:
    """How the job ended, cancelled while the worker was about to make this call; None if not all agree."""
    processing_id = f"race-{number}"
    await one.reborn(processing_id)
    await one.submit(OWNER, processing_id, "test", {"stamp": False})
    one.calls.seen.clear()
    told: list[JobState] = []

    async def cancel_first(when: When, call: Call) -> None:
        if when == "before" and call.number == number:
            told.append(await cancel(owner, processing_id))

    one.calls.handler = cancel_first
    while await one.work_once():
        pass
    assert told, "it did not come that far"
    key = JobKey(OWNER, processing_id)
    job = await owner.stores.jobs.get(key)
    manifest = json.loads(await owner.stores.files.manifest(key) or b"{}")
    assert job is not None
    agreed = {job.state.value, manifest["status"], told[0].value}
    has_parts = bool(manifest.get("parts"))
    return job.state if len(agreed) == 1 and has_parts == (job.state is JobState.COMPLETED) else None
