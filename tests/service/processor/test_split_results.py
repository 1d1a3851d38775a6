"""Results that are split by values of their columns: what lies where, and how it is told."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from examples.verify_result import from_folder
from services.processor.domain import splits
from services.processor.domain.job_names import JobKey
from services.processor.domain.outcomes import JobState
from shared.testing.tokens import TokenFactory
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import life
from tests.service.processor.running import Processor, processor, worker
from tests.support.names import unique_name

OWNER = "usr_ada"
CITIES = ["Bern", None, "a/b c"]
RECORDS = [{"id": number, "city": CITIES[number % 3], "pad": "é" * 40} for number in range(60)]
NDJSON = b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS)
CONFIG: dict[str, Any] = {"output": {"partition_by": ["city"]}, "stamp": False}


@pytest.fixture
async def cutting_processor(make_settings: MakeSettings, tokens: TokenFactory) -> AsyncIterator[Processor]:
    settings = make_settings(partition_bytes=2048)
    async with processor(settings, tokens, unique_name("usr")) as running, worker(settings):
        yield running


async def answer_of(running: Processor, processing_id: str, **parameters: str) -> httpx.Response:
    return await running.http.get(f"/api/results/{processing_id}", params=parameters)


async def copied(running: Processor, processing_id: str, target: Path) -> None:
    """The job's folder, as `aws s3 cp` copies it."""
    prefix = JobKey(running.owner, processing_id).folder
    found = await running.stores.s3.list_objects_v2(Bucket=running.settings.bucket, Prefix=prefix)
    for entry in found["Contents"]:
        path = target / entry["Key"].removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(await running.read(entry["Key"]))


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
@pytest.mark.parametrize("steps", [[], [{"sort": ["-id"]}]])
async def test_each_object_lies_in_the_folder_of_its_values(
    cutting_processor: Processor, tmp_path: Path, form: str, steps: list[object]
) -> None:
    source = await cutting_processor.put("cities.ndjson", NDJSON)
    config = {"output": {"partition_by": ["city"], "format": form}, "transformations": steps, "stamp": False}
    answer = await cutting_processor.submit(source, config)
    assert answer.status_code == 200, answer.text
    processing_id, location = answer.json()["processing_id"], answer.json()["result_location"]
    folder = JobKey(cutting_processor.owner, processing_id).folder
    assert location == f"s3://{cutting_processor.settings.bucket}/{folder}data/"
    manifest = await cutting_processor.manifest(processing_id)
    assert manifest is not None
    first = manifest["parts"][0]
    assert first["partition"] == {"city": "Bern"}
    number = len(manifest["first_stage"])
    assert first["key"] == f"{folder}data/city=Bern/part-{number:05d}-{first['sha256']}.{form}"
    assert {part["partition"]["city"] for part in manifest["parts"]} == set(CITIES)
    assert sum(part["records"] for part in manifest["parts"]) == 60
    await copied(cutting_processor, processing_id, tmp_path)
    assert list(from_folder(tmp_path)) == []
    reader = "read_parquet" if form == "parquet" else "read_json"
    read = f"{reader}('{tmp_path}/data/**/*.{form}', hive_partitioning = true)"
    rows = duckdb.execute(f"SELECT id, city FROM {read} ORDER BY id").fetchall()  # noqa: S608 - our own
    assert rows == [(record["id"], record["city"]) for record in RECORDS]


async def test_a_result_is_told_by_links_with_values_even_if_it_is_one_object(common_processor: Processor) -> None:
    source = await common_processor.put("one.csv", b"id,city\n1,a/b c\n2,a/b c\n")
    processing_id = (await common_processor.submit(source, CONFIG)).json()["processing_id"]
    answer = await answer_of(common_processor, processing_id)
    assert answer.status_code == 200
    [part] = answer.json()["parts"]
    assert (part["partition"], part["records"]) == ({"city": "a/b c"}, 2)
    async with httpx.AsyncClient() as outside:
        content = (await outside.get(part["url"])).raise_for_status().content
    assert (content, hashlib.sha256(content).hexdigest()) == (b"id\n1\n2\n", part["sha256"])
    refused = await answer_of(common_processor, processing_id, combined="true")
    assert (refused.status_code, refused.json()["code"]) == (409, "parts-stand-alone")
    assert 'split by "city"' in refused.json()["detail"]


async def test_no_records_are_no_objects(common_processor: Processor) -> None:
    source = await common_processor.put("none.csv", b"id,city\n1,Bern\n")
    answer = await common_processor.submit(source, CONFIG | {"filter_condition": "id > 1"})
    result = await answer_of(common_processor, answer.json()["processing_id"])
    assert (result.status_code, result.json()["parts"]) == (200, [])
    assert (await common_processor.status(answer.json()["processing_id"]))["output_size"] == 0


async def test_a_preview_and_a_dry_run_tell_of_the_columns(common_processor: Processor) -> None:
    body = {"data_source": await common_processor.put("one.csv", b"id,city\n1,Bern\n"), "config": CONFIG}
    shown = (await common_processor.http.post("/api/preview", json=body)).json()
    assert shown["records_out"] == [{"id": 1, "city": "Bern"}]
    tried = (await common_processor.http.post("/api/process", json=body | {"dry_run": True})).json()
    assert tried["plan"]["partition_by"] == ["city"]
    body["config"] = {"output": {"partition_by": ["town"]}}
    for path, more in (("/api/preview", {}), ("/api/process", {"dry_run": True}), ("/api/process", {})):
        answer = await common_processor.http.post(path, json=body | more, headers={"prefer": "wait=20"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/config/output/partition_by/0"


async def submit_two(one: Any) -> JobKey:  # noqa: ANN401 - a Life
    for name in "ab":
        await one.stores.s3.put_object(
            Bucket=one.settings.bucket, Key=f"inputs/{OWNER}/two/{name}.csv", Body=b"id,k\n1,x\n2,y\n"
        )
    config = {"output": {"partition_by": ["k"]}}
    job = await one.submit(OWNER, "job", f"s3://{one.settings.bucket}/inputs/{OWNER}/two/", config)
    key: JobKey = job.key
    return key


async def test_more_objects_than_a_manifest_names_fail_the_job(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splits, "MOST_OBJECTS", 3)
    async with life(make_settings(long_poll_seconds=0)) as one:
        key = await submit_two(one)
        while await one.work_once():
            pass
        job = await one.stores.jobs.find(key)
        assert job.outcome is not None and job.outcome.error is not None  # noqa: PT018 - for mypy
        assert (job.state, job.outcome.error.code) == (JobState.FAILED, "invalid-pipeline")
        assert "config.output.partition_by: the result would be more than 3 objects" in job.outcome.error.detail


async def test_a_list_that_is_gone_fails_the_job(make_settings: MakeSettings) -> None:
    async with life(make_settings(long_poll_seconds=0, max_parts_at_once=1)) as one:
        key = await submit_two(one)
        while not [record for record in await one.stores.parts.all_of(key) if record.result]:
            await one.work_once()
        found = await one.stores.s3.list_objects_v2(Bucket=one.settings.bucket, Prefix=f"{key.folder}splits/")
        for entry in found["Contents"]:
            await one.stores.s3.delete_object(Bucket=one.settings.bucket, Key=entry["Key"])
        while await one.work_once():
            pass
        job = await one.stores.jobs.find(key)
        assert job.outcome is not None and job.outcome.error is not None  # noqa: PT018 - for mypy
        assert job.outcome.error.code == "part-list-gone"
