"""Pipelines under names: kept, changed without losing somebody's change, and run by name."""

import asyncio

import httpx

from tests.service.processor.conftest import MakeSettings
from tests.service.processor.running import Processor, processor
from tests.support.names import unique_name

CONFIG = {"filter_condition": "id > 97", "stamp": False}


async def store(running: Processor, name: str, body: object, **headers: str) -> httpx.Response:
    return await running.http.put(
        f"/api/pipelines/{name}", json=body, headers={key.replace("_", "-"): value for key, value in headers.items()}
    )


async def run(running: Processor, **body: object) -> httpx.Response:
    return await running.http.post("/api/process", json=body, headers={"prefer": "wait=20"})


async def test_a_pipeline_is_stored_changed_and_deleted(common_processor: Processor) -> None:
    url = f"/api/pipelines/{(name := unique_name('p'))}"
    body = {"data_source": "test", "config": CONFIG}
    created = await store(common_processor, name, body)
    read = await common_processor.http.get(url)
    assert (created.status_code, read.status_code) == (201, 200)
    assert created.json() == read.json() == {**body, **created.json()}
    assert created.headers["etag"] == read.headers["etag"]

    again = await store(common_processor, name, body)
    assert (again.status_code, again.json(), again.headers["etag"]) == (200, read.json(), read.headers["etag"])
    changed = await store(common_processor, name, {"config": {}})
    assert (changed.status_code, changed.json()["data_source"], changed.json()["config"]) == (200, None, {})
    assert changed.headers["etag"] != read.headers["etag"]

    stale = await common_processor.http.delete(url, headers={"if-match": read.headers["etag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    gone = await common_processor.http.delete(url, headers={"if-match": changed.headers["etag"]})
    assert gone.status_code == 204
    for missing in (await common_processor.http.get(url), await common_processor.http.delete(url)):
        assert (missing.status_code, missing.json()["code"]) == (404, "pipeline-not-found")


async def test_no_change_is_lost_by_another(common_processor: Processor) -> None:
    name = unique_name("p")
    created = await asyncio.gather(
        *(store(common_processor, name, {"config": {"stamp": i == 0}}, if_none_match="*") for i in range(4))
    )
    assert sorted(answer.status_code for answer in created) == [201, 412, 412, 412]
    [first] = [answer for answer in created if answer.status_code == 201]
    wanted = [{"config": {"filter_condition": f"id > {i}"}} for i in range(4)]
    changed = await asyncio.gather(
        *(store(common_processor, name, body, if_match=first.headers["etag"]) for body in wanted)
    )
    assert sorted(answer.status_code for answer in changed) == [200, 412, 412, 412]
    [(won, answer)] = [pair for pair in zip(wanted, changed, strict=True) if pair[1].status_code == 200]
    assert (await common_processor.http.get(f"/api/pipelines/{name}")).json() == answer.json()
    repeated = await store(common_processor, name, won, if_match=first.headers["etag"])
    assert (repeated.status_code, repeated.json()) == (200, answer.json()), "its own answer may have been lost"

    unconditional = await asyncio.gather(*(store(common_processor, name, body) for body in wanted[:2]))
    assert {answer.status_code for answer in unconditional} == {200}


async def test_what_would_fail_as_a_job_is_not_stored(common_processor: Processor) -> None:
    name, bucket = unique_name("p"), common_processor.settings.bucket
    theirs = f"s3://{bucket}/inputs/somebody_else/a.csv"
    join = {"join": {"source": theirs, "on": ["id"]}}
    wrong = {
        "/config/transformations/0/dorp": {"config": {"transformations": [{"dorp": ["card"]}]}},
        "/config/transformations/0/join/source": {"config": {"transformations": [join]}},
        "/data_source": {"data_source": theirs},
        "/config": {"config": {"filter_condition": "id = 1", "input": {"schema": {"a" * 263_000: "BIGINT"}}}},
    }
    for pointer, body in wrong.items():
        answer = await store(common_processor, name, body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"].startswith(pointer)
    assert (await store(common_processor, ".hidden", {})).json()["errors"][0]["pointer"] == "name"
    assert (await common_processor.http.get(f"/api/pipelines/{name}")).status_code == 404


async def test_a_run_by_name_does_what_was_written_out(common_processor: Processor) -> None:
    name = unique_name("p")
    await store(common_processor, name, {"data_source": "test", "config": CONFIG})
    job = unique_name("job")
    ended = await run(common_processor, processing_id=job, pipeline=name)
    assert (ended.status_code, ended.json()["metadata"]["processed_records"]) == (200, 2)
    assert (await common_processor.submit("test", CONFIG, processing_id=job)).json() == ended.json()

    own = await common_processor.put("own.ndjson", b'{"id": 1}\n{"id": 99}\n{"id": 100}\n{"id": 101}\n')
    other = await run(common_processor, pipeline=name, data_source=own)
    assert other.json()["metadata"]["processed_records"] == 3

    await store(common_processor, name, {"data_source": "test", "config": {}})
    later = await run(common_processor, processing_id=job, pipeline=name)
    assert (later.status_code, later.json()["code"]) == (409, "job-conflict")
    assert (await common_processor.status(job))["output_size"] == 2, "the job stands"


async def test_a_run_by_name_says_what_is_wrong(common_processor: Processor) -> None:
    await store(common_processor, name := unique_name("p"), {"config": CONFIG})
    wrong: list[tuple[str, dict[str, object]]] = [
        ("/pipeline", {"pipeline": unique_name("none"), "data_source": "test"}),
        ("/pipeline", {"pipeline": "no/name", "data_source": "test"}),
        ("/config", {"pipeline": name, "data_source": "test", "config": {}}),
        ("/data_source", {"pipeline": name}),
        ("/data_source", {}),
    ]
    for pointer, body in wrong:
        answer = await run(common_processor, **body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.text


async def test_pipelines_are_their_owners_alone_and_so_many(
    make_settings: MakeSettings, idle_processor: Processor
) -> None:
    few = make_settings(max_pipelines=3)
    async with processor(few, idle_processor.tokens, idle_processor.owner) as running:
        for name in ("c", "a", "b"):
            assert (await store(running, name, {})).status_code == 201
        full = await store(running, "d", {})
        assert (full.status_code, full.json()["code"]) == (409, "too-many-pipelines")
        assert (await store(running, "a", {"data_source": "test"})).status_code == 200, "a change needs no room"

        first = (await running.http.get("/api/pipelines", params={"limit": 2})).json()
        rest = {"limit": 2, "cursor": first["next_cursor"]}
        second = (await running.http.get("/api/pipelines", params=rest)).json()
        assert [one["name"] for one in first["pipelines"] + second["pipelines"]] == ["a", "b", "c"]
        assert second["next_cursor"] is None

        other = running.headers_of(unique_name("usr"))
        assert (await running.http.get("/api/pipelines", headers=other)).json()["pipelines"] == []
        assert (await running.http.get("/api/pipelines/a", headers=other)).status_code == 404
        assert (await running.http.delete("/api/pipelines/a", headers=other)).status_code == 404
        submitted = {"pipeline": "a", "data_source": "test"}
        theirs = {"config": {"stamp": False}}
        assert (await running.http.put("/api/pipelines/c", json=theirs, headers=other)).status_code == 201
        assert (await running.http.get("/api/pipelines/c")).json()["config"] == {}
        stolen = await running.http.post("/api/process", json=submitted, headers=other)
        assert (stolen.status_code, stolen.json()["errors"][0]["pointer"]) == (422, "/pipeline")
        reader = running.headers_of(running.owner, scope="jobs:read")
        assert (await running.http.put("/api/pipelines/a", json={}, headers=reader)).status_code == 403
        assert (await running.http.delete("/api/pipelines/a", headers=reader)).status_code == 403
