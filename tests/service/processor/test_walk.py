"""From records to a result, as a client sees it."""

import gzip
import hashlib
import json

import httpx
import pytest

from services.processor.main import create_app
from tests.service.processor.running import Processor, living, ready, worker
from tests.support.waiting import eventually

RECORDS = [{"id": 1, "city": "Bern", "n": 3}, {"id": 2, "city": "Zürich", "n": 12}, {"id": 3, "city": "Bern", "n": 40}]
AS_BYTES = {
    "json": json.dumps(RECORDS).encode(),
    "ndjson": b"\n".join(json.dumps(record).encode() for record in RECORDS),
    "csv": "id,city,n\n1,Bern,3\n2,Zürich,12\n3,Bern,40\n".encode(),
}


async def test_the_smallest_body_gives_a_hundred_stamped_records(common_processor: Processor) -> None:
    answer = await common_processor.http.post("/api/process", json={"data_source": "test", "config": {}})
    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True
    assert body["metadata"]["processed_records"] == 100
    assert body["metadata"]["processing_time_ms"] >= 0
    records = json.loads(await common_processor.result(body["processing_id"]))
    status = await common_processor.status(body["processing_id"])
    assert records[7] == {"id": 7, "value": "data_7", "processed": True, "processed_at": status["submitted_at"]}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["json", "ndjson", "csv"])
async def test_records_come_out_as_they_went_in(common_processor: Processor, name: str, *, packed: bool) -> None:
    content = gzip.compress(AS_BYTES[name]) if packed else AS_BYTES[name]
    source = await common_processor.put(f"cities.{name}{'.gz' if packed else ''}", content)
    config = {"filter_condition": "n > 10", "transformations": [{"select": ["id", "city"]}], "stamp": False}
    answer = await common_processor.submit(source, config)
    assert answer.status_code == 200, answer.text
    result = await common_processor.result(answer.json()["processing_id"])
    plain = (gzip.decompress(result) if packed else result).decode()
    if name == "csv":
        assert plain == "id,city\n2,Zürich\n3,Bern\n"
    else:
        records = json.loads(plain) if name == "json" else [json.loads(line) for line in plain.splitlines()]
        assert records == [{"id": 2, "city": "Zürich"}, {"id": 3, "city": "Bern"}]


async def test_an_upload_is_processed_and_fetched_by_links_alone(common_processor: Processor) -> None:
    upload = await common_processor.http.post(
        "/api/uploads", json={"filename": "cities.csv", "content_type": "text/csv"}
    )
    assert upload.status_code == 201
    async with httpx.AsyncClient() as outside:
        put = upload.json()
        sent = await outside.request(put["method"], put["url"], content=AS_BYTES["csv"], headers=put["headers"])
        assert sent.status_code == 200
        answer = await common_processor.submit(put["data_source"], {"stamp": False, "output": {"format": "json"}})
        redirect = await common_processor.http.get(f"/api/results/{answer.json()['processing_id']}")
        assert redirect.status_code == 307
        assert (await outside.get(redirect.headers["location"])).json() == RECORDS


async def test_an_upload_of_a_stated_size_is_signed_for_that_size(common_processor: Processor) -> None:
    answer = await common_processor.http.post("/api/uploads", json={"filename": "a.csv", "size": 12})
    upload = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert upload["headers"] == {"Content-Length": "12"}
    assert "X-Amz-SignedHeaders=content-length%3Bhost" in upload["url"]
    assert upload["data_source"].startswith(
        f"s3://{common_processor.settings.bucket}/inputs/{common_processor.owner}/upl_"
    )


async def test_links_are_signed_for_the_address_that_clients_reach(idle_processor: Processor) -> None:
    outside = idle_processor.settings.model_copy(update={"s3_public_endpoint": "https://s3.example:8443"})
    async with living(create_app(outside)) as http:
        await eventually(ready(http), timeout_seconds=10)
        answer = await http.post("/api/uploads", json={"filename": "a.csv"}, headers=idle_processor.http.headers)
    assert answer.json()["url"].startswith(f"https://s3.example:8443/{outside.bucket}/inputs/")


async def test_each_object_becomes_a_part_in_the_order_of_the_keys(common_processor: Processor) -> None:
    for letter in "cab":
        await common_processor.put(f"many/{letter}.ndjson", b'{"x": "%s"}\n' % letter.encode())
    prefix = f"s3://{common_processor.settings.bucket}/inputs/{common_processor.owner}/many/"
    answer = await common_processor.submit(prefix, {"stamp": False})
    body = answer.json()
    assert body["result_location"].endswith(f"/{body['processing_id']}/data/")
    assert await common_processor.result(body["processing_id"]) == b'{"x":"a"}\n{"x":"b"}\n{"x":"c"}\n'
    described = await common_processor.http.get(f"/api/results/{body['processing_id']}")
    assert described.status_code == 200
    assert [part["records"] for part in described.json()["parts"]] == [1, 1, 1]
    status = await common_processor.status(body["processing_id"])
    assert status["progress"]["partitions"] == {"done": 3, "total": 3}


async def test_steps_over_all_records_see_all_objects(common_processor: Processor) -> None:
    first = await common_processor.put("one.ndjson", b'{"x": 2, "k": 1}\n{"x": 9, "k": 2}\n{"x": 9, "k": 3}\n')
    second = await common_processor.put("two.ndjson", b'{"x": 5, "k": 1}\n{"x": 2, "k": 5}\n')
    aggregate = {"aggregate": {"by": ["k"], "measures": {"sum": "SUM(x)"}}}
    steps = [{"deduplicate": {"by": ["x"]}}, aggregate, {"sort": ["-sum"]}]
    answer = await common_processor.submit([first, second], {"transformations": steps, "stamp": False})
    result = await common_processor.result(answer.json()["processing_id"])
    assert result == b'{"k":2,"sum":9}\n{"k":1,"sum":7}\n'


async def test_each_part_joins_all_of_another_source(common_processor: Processor) -> None:
    sources = [await common_processor.put(f"joining/{n}.ndjson", b'{"k":%d}\n{"k":3}\n' % n) for n in (1, 2)]
    await common_processor.put("names/1.csv.gz", gzip.compress(b"k,name\n1,one\n"))
    await common_processor.put("names/2.json", b'[{"k":2,"name":"two"}]')
    names = f"s3://{common_processor.settings.bucket}/inputs/{common_processor.owner}/names/"
    config = {"transformations": [{"join": {"source": names, "on": ["k"]}}], "stamp": False}
    body = (await common_processor.submit(sources, config)).json()
    result = await common_processor.result(body["processing_id"])
    assert result == b'{"k":1,"name":"one"}\n{"k":3,"name":null}\n{"k":2,"name":"two"}\n{"k":3,"name":null}\n'
    manifest = await common_processor.manifest(body["processing_id"])
    assert manifest is not None
    read = manifest["plan"]["joined"][0]["sources"]
    assert [source["key"].rpartition("/")[2] for source in read] == ["1.csv.gz", "2.json"]
    assert manifest["counts"]["records_in"] == 4
    shown = (await common_processor.http.post("/api/preview", json={"data_source": sources, "config": config})).json()
    assert [record["name"] for record in shown["records_out"]] == ["one", None]
    assert (
        shown["warnings"][-1]
        == "config.transformations[0].join saw only the first records of its source; a job sees all"
    )


async def test_a_preview_shows_both_sides_and_writes_nothing(idle_processor: Processor) -> None:
    source = await idle_processor.put("cities.csv", AS_BYTES["csv"])
    body = {"data_source": source, "config": {"transformations": [{"derive": {"twice": "n * 2"}}], "stamp": False}}
    shown = (await idle_processor.http.post("/api/preview", json=body)).json()
    assert shown["records_in"] == RECORDS
    assert [record["twice"] for record in shown["records_out"]] == [6, 24, 80]
    assert shown["schema_in"] == {"id": "BIGINT", "city": "VARCHAR", "n": "BIGINT"}
    assert list(shown["schema_out"]) == ["id", "city", "n", "twice"]
    written = await idle_processor.stores.s3.list_objects_v2(Bucket=idle_processor.settings.bucket, Prefix="jobs/")
    assert written["KeyCount"] == 0


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["json", "ndjson", "csv"])
async def test_several_parts_are_given_as_one(common_processor: Processor, name: str, *, packed: bool) -> None:
    suffix = f"{name}{'.gz' if packed else ''}"
    content = gzip.compress(AS_BYTES[name]) if packed else AS_BYTES[name]
    sources = [await common_processor.put(f"combined-{number}.{suffix}", content) for number in range(3)]
    submitted = (await common_processor.submit(sources, {"filter_condition": "n > 10", "stamp": False})).json()
    answer = await common_processor.http.get(f"/api/results/{submitted['processing_id']}", params={"combined": "true"})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].endswith(f'{submitted["processing_id"]}.{suffix}"')
    plain = (gzip.decompress(answer.content) if packed else answer.content).decode()
    if name == "csv":
        assert plain == "id,city,n\n" + "2,Zürich,12\n3,Bern,40\n" * 3
    else:
        records = json.loads(plain) if name == "json" else [json.loads(line) for line in plain.splitlines()]
        assert records == RECORDS[1:] * 3


async def test_parquet_parts_stand_alone(common_processor: Processor) -> None:
    sources = [await common_processor.put(f"parquet-{number}.csv", AS_BYTES["csv"]) for number in range(2)]
    config = {"output": {"format": "parquet"}, "stamp": False}
    several = (await common_processor.submit(sources, config)).json()["processing_id"]
    refused = await common_processor.http.get(f"/api/results/{several}", params={"combined": "true"})
    assert (refused.status_code, refused.json()["code"]) == (409, "parts-stand-alone")
    alone = (await common_processor.submit(sources[0], config)).json()["processing_id"]
    given = await common_processor.http.get(f"/api/results/{alone}", params={"combined": "true"})
    assert given.headers["content-type"] == "application/vnd.apache.parquet"
    assert given.headers["content-disposition"].endswith('.parquet"')
    assert given.content == await common_processor.result(alone)


async def test_a_parquet_is_planned_by_its_footer_alone(common_processor: Processor) -> None:
    settings = common_processor.settings
    values = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(settings.sample_bytes // 20)]
    lines = "".join(f'{{"k":{number},"v":"{value}"}}\n' for number, value in enumerate(values))
    source = await common_processor.put("large.ndjson", lines.encode())
    made = (await common_processor.submit(source, {"output": {"format": "parquet"}})).json()["processing_id"]
    content = await common_processor.result(made)
    assert len(content) > settings.sample_bytes
    large = await common_processor.put("large.parquet", content)
    steps = {"filter_condition": "k < 1", "transformations": [{"select": ["k"]}], "stamp": False}
    config = {**steps, "output": {"format": "csv"}}
    for sources in (large, [large, source]):
        answer = await common_processor.submit(sources, config)
        assert answer.json().get("success"), answer.text
        result = await common_processor.result(answer.json()["processing_id"])
        assert result == b"k\n0\n" * (1 if sources == large else 2)


async def test_a_combined_result_whose_parts_are_gone_is_a_410(idle_processor: Processor) -> None:
    async with worker(idle_processor.settings):
        processing_id = (await idle_processor.submit("test")).json()["processing_id"]
    manifest = await idle_processor.manifest(processing_id)
    assert manifest is not None
    await idle_processor.stores.s3.delete_object(Bucket=idle_processor.settings.bucket, Key=manifest["parts"][0]["key"])
    answer = await idle_processor.http.get(f"/api/results/{processing_id}", params={"combined": "true"})
    assert (answer.status_code, answer.json()["code"]) == (410, "result-expired")
