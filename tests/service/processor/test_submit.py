"""Submitting: once however often it is sent, waited for as long as the client wants."""

import asyncio
import json

import pytest

from tests.service.processor.running import Processor


async def test_a_submit_that_is_not_waited_for_is_accepted(idle_processor: Processor) -> None:
    answer = await idle_processor.submit("test", prefer="respond-async", processing_id="mine")
    assert answer.status_code == 202
    assert answer.json() == {
        "success": True,
        "processing_id": "mine",
        "status": "accepted",
        "status_url": "/api/status/mine",
    }
    assert answer.headers["location"] == "/api/status/mine"
    assert answer.headers["preference-applied"] == "respond-async"


async def test_a_wait_that_is_too_short_ends_in_202(idle_processor: Processor) -> None:
    answer = await idle_processor.submit("test", prefer="wait=1")
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "wait=1"


async def test_without_an_id_each_request_is_a_job_of_its_own(idle_processor: Processor) -> None:
    answers = [await idle_processor.submit("test", prefer="respond-async") for _ in range(2)]
    assert len({answer.json()["processing_id"] for answer in answers}) == 2


async def test_eight_racing_submits_of_one_id_are_one_job(common_processor: Processor) -> None:
    answers = await asyncio.gather(*(common_processor.submit("test", processing_id="race") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    manifest = await common_processor.manifest("race")
    assert manifest is not None
    assert manifest["attempts"] == 1


async def test_the_same_request_is_known_however_it_is_written(idle_processor: Processor) -> None:
    first = await idle_processor.http.post(
        "/api/process",
        content=b'{"processing_id":"a","data_source":"test","config":{"stamp":false,"filter_condition":"id > 1"}}',
        headers={"prefer": "respond-async", "content-type": "application/json"},
    )
    second = await idle_processor.http.post(
        "/api/process",
        content=b'{"config": {"filter_condition": "id > 1", "stamp": false}, "data_source": "test"}',
        headers={"prefer": "respond-async", "content-type": "application/json", "idempotency-key": "a"},
    )
    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()


async def test_another_request_of_the_same_id_is_a_conflict(idle_processor: Processor) -> None:
    await idle_processor.submit("test", prefer="respond-async", processing_id="taken")
    answer = await idle_processor.submit("test", {"stamp": False}, prefer="respond-async", processing_id="taken")
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["code"] == "job-conflict"
    assert problem["processing_id"] == "taken"


async def test_two_different_names_for_one_job_are_refused(idle_processor: Processor) -> None:
    body = {"processing_id": "one", "data_source": "test", "config": {}}
    answer = await idle_processor.http.post("/api/process", json=body, headers={"idempotency-key": "two"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "Idempotency-Key"


async def test_a_replay_of_a_job_that_has_ended_gives_its_result_at_once(common_processor: Processor) -> None:
    first = await common_processor.submit("test", processing_id="again")
    second = await common_processor.submit("test", processing_id="again", prefer="respond-async")
    assert second.status_code == 200
    assert second.json() == first.json()


async def test_a_job_that_fails_within_the_wait_is_a_problem_with_the_jobs_name(common_processor: Processor) -> None:
    answer = await common_processor.submit("test", {"filter_condition": "valeu = 'x'"}, processing_id="bad")
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "invalid-pipeline"
    assert problem["errors"][0]["pointer"] == "/config/filter_condition"
    assert '"value"' in problem["detail"]
    assert problem["processing_id"] == "bad"
    assert answer.headers["location"] == "/api/status/bad"
    status = await common_processor.status("bad")
    assert status["status"] == "failed"
    assert status["error"]["detail"] == problem["detail"]
    assert status["failed_at"] is not None
    assert status["processed_at"] is None


async def test_a_status_read_waits_for_the_end(common_processor: Processor) -> None:
    await common_processor.submit("test", prefer="respond-async", processing_id="slow")
    assert (await common_processor.status("slow", wait=20))["status"] == "completed"


async def test_a_job_waits_in_the_queue_with_its_progress_told(idle_processor: Processor) -> None:
    await idle_processor.submit("test", prefer="respond-async", processing_id="queued")
    status = await idle_processor.status("queued")
    assert status["status"] == "accepted"
    assert status["attempts"] == 0
    assert status["progress"] == {
        "partitions": {"done": 0, "total": None},
        "records": 0,
        "bytes": {"done": 0, "total": None},
        "records_per_second": None,
        "bytes_per_second": None,
        "seconds_left": None,
    }


@pytest.mark.parametrize("path", ["/api/status/theirs", "/api/results/theirs", "/api/status/nobodys"])
async def test_a_job_of_somebody_else_is_as_unknown_as_none(common_processor: Processor, path: str) -> None:
    other = common_processor.headers_of("usr_other")
    body = {"processing_id": "theirs", "data_source": "test", "config": {}}
    await common_processor.http.post("/api/process", json=body, headers=other | {"prefer": "respond-async"})
    answer = await common_processor.http.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "job-not-found"
    assert answer.json()["detail"] == "You have no job of that id. GET /api/process lists yours."


async def test_two_users_may_use_the_same_id(idle_processor: Processor) -> None:
    other = idle_processor.headers_of("usr_other")
    await idle_processor.submit("test", prefer="respond-async", processing_id="same")
    body = {"processing_id": "same", "data_source": "test", "config": {"stamp": False}}
    answer = await idle_processor.http.post("/api/process", json=body, headers=other | {"prefer": "respond-async"})
    assert answer.status_code == 202


async def test_my_jobs_are_listed_newest_first_by_pages(idle_processor: Processor) -> None:
    for name in ("first", "second", "third"):
        await idle_processor.submit("test", prefer="respond-async", processing_id=name)
    listed, cursor = [], None
    while True:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await idle_processor.http.get("/api/process", params=parameters)).json()
        assert len(page["jobs"]) <= 2
        listed += [job["processing_id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert listed == ["third", "second", "first"]


async def test_a_list_of_one_state_comes_by_pages_too(idle_processor: Processor) -> None:
    for number in range(3):
        await idle_processor.submit("test", prefer="respond-async", processing_id=f"job-{number}")
    listed: list[str] = []
    parameters = {"limit": "1", "status": "accepted"}
    for _ in range(4):
        page = (await idle_processor.http.get("/api/process", params=parameters)).json()
        listed += [job["processing_id"] for job in page["jobs"]]
        if page["next_cursor"] is None:
            break
        parameters["cursor"] = page["next_cursor"]
    assert listed == ["job-2", "job-1", "job-0"]


async def test_a_list_may_be_of_one_state(working_processor: Processor) -> None:
    await working_processor.submit("test", processing_id="good")
    await working_processor.submit("test", {"filter_condition": "nothing = 1"}, processing_id="bad")
    page = (await working_processor.http.get("/api/process", params={"status": "failed"})).json()
    [job] = page["jobs"]
    assert (job["processing_id"], job["status"], job["error"]["code"]) == ("bad", "failed", "invalid-pipeline")


async def test_nobody_lists_the_jobs_of_others(idle_processor: Processor) -> None:
    await idle_processor.submit("test", prefer="respond-async")
    answer = await idle_processor.http.get("/api/process", headers=idle_processor.headers_of("usr_other"))
    assert answer.json() == {"success": True, "jobs": [], "next_cursor": None}


async def test_a_result_that_is_not_there_yet_says_so(idle_processor: Processor) -> None:
    await idle_processor.submit("test", prefer="respond-async", processing_id="soon")
    answer = await idle_processor.http.get("/api/results/soon")
    assert answer.status_code == 409
    assert answer.json()["code"] == "job-not-finished"
    assert answer.headers["retry-after"] == "1"


async def test_a_failed_job_has_no_result(common_processor: Processor) -> None:
    await common_processor.submit("test", {"filter_condition": "nothing = 1"}, processing_id="bad-result")
    answer = await common_processor.http.get("/api/results/bad-result")
    assert (answer.status_code, answer.json()["code"]) == (409, "job-failed")


async def test_a_result_whose_objects_have_expired_is_gone(common_processor: Processor) -> None:
    await common_processor.submit("test", processing_id="old")
    key = f"jobs/{common_processor.owner}/old/manifest.json"
    await common_processor.stores.s3.delete_object(Bucket=common_processor.settings.bucket, Key=key)
    answer = await common_processor.http.get("/api/results/old")
    assert (answer.status_code, answer.json()["code"]) == (410, "result-expired")


async def test_the_manifest_names_request_sources_and_hashes(common_processor: Processor) -> None:
    source = await common_processor.put("n.ndjson", b'{"n": 1}\n')
    await common_processor.submit(source, {"stamp": False}, processing_id="told")
    answer = await common_processor.http.get("/api/results/told", headers={"accept": "application/json"})
    described = answer.json()
    manifest = described["manifest"]
    assert manifest["plan"]["sources"][0]["etag"]
    assert manifest["plan"]["request_sha256"] == manifest["request"]["sha256"]
    assert manifest["plan"]["engine"].startswith("duckdb")
    [part] = described["parts"]
    assert part["sha256"] == manifest["parts"][0]["sha256"]
    assert part["sha256"] in part["url"]
    assert json.loads(await common_processor.result("told")) == {"n": 1}


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/api/process", "jobs:write"),
        ("GET", "/api/process", "jobs:read"),
        ("GET", "/api/status/x", "jobs:read"),
        ("GET", "/api/results/x", "jobs:read"),
        ("POST", "/api/preview", "jobs:read"),
        ("POST", "/api/uploads", "jobs:write"),
        ("POST", "/api/uploads/complete", "jobs:write"),
    ],
)
async def test_each_route_asks_for_its_scope(common_processor: Processor, method: str, path: str, scope: str) -> None:
    other = {"jobs:write": "jobs:read", "jobs:read": "jobs:write"}[scope]
    headers = common_processor.headers_of(common_processor.owner, scope=other)
    answer = await common_processor.http.request(method, path, headers=headers)
    assert answer.status_code == 403
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]
    nobody = await common_processor.http.request(method, path, headers={"authorization": ""})
    assert nobody.status_code == 401


async def test_a_preference_that_is_not_understood_is_ignored_and_several_headers_are_read(
    idle_processor: Processor,
) -> None:
    headers = [("prefer", "n#k"), ("prefer", "respond-async"), *idle_processor.http.headers.items()]
    answer = await idle_processor.http.post("/api/process", json={"data_source": "test", "config": {}}, headers=headers)
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "respond-async")


async def test_the_header_prefer_is_described_as_any_text(idle_processor: Processor) -> None:
    openapi = (await idle_processor.http.get("/openapi.json")).json()
    [prefer] = [p for p in openapi["paths"]["/api/process"]["post"]["parameters"] if p["name"] == "prefer"]
    assert prefer["schema"]["type"] == "string"
    assert not {"anyOf", "pattern", "items"} & set(prefer["schema"])
