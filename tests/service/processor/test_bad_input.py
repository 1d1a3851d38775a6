"""Whatever a client sends: a problem document that names the place and the remedy, and never a 500."""

import gzip
import json
from typing import Any

import pytest

from tests.service.processor.running import Processor, worker

LONG = "x" * 3000
JSON = {"content-type": "application/json"}
POSTS = ["/api/process", "/api/preview", "/api/uploads", "/api/uploads/complete"]
GOOD: dict[str, dict[str, Any]] = {
    "/api/process": {"data_source": "test", "config": {}},
    "/api/preview": {"data_source": "test", "config": {}},
    "/api/uploads": {"filename": "a.csv"},
    "/api/uploads/complete": {"data_source": "s3://a/b", "upload_id": "x", "parts": 1},
}


def deep(levels: int) -> Any:  # noqa: ANN401 - JSON
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


BODIES: list[tuple[bytes, int]] = [
    (b"", 422),
    (b"not json", 400),
    (b'{"data_source": "test"', 400),
    (b"\xff\xfe{}", 400),
    (b"[]", 422),
    (b"null", 422),
    (b'"test"', 422),
    (b"{}", 422),
    (b'{"data_source": 5, "filename": 5}', 422),
    (b'{"data_source": null, "filename": null}', 422),
    (b'{"data_source": "test", "config": [], "filename": []}', 422),
    (b'{"data_source": "test", "config": "x", "filename": true}', 422),
    (b'{"data_source": "te\\u0000st", "filename": "a\\u0000.csv"}', 422),
    (b'{"data_source": "\\ud800", "filename": "\\udfff"}', 422),
    (b'{"data_source": "test", "config": {}, "filename": "a.csv", "extra": 1}', 422),
    (b'{"data_source": "test", "config": {"x": NaN}, "filename": NaN}', 422),
    (b'{"data_source": "test", "config": {"x": 1e999}, "filename": 1e999}', 422),
]


@pytest.mark.parametrize("path", POSTS)
async def test_bodies_that_are_none(common_processor: Processor, path: str) -> None:
    for content, status in BODIES:
        answer = await common_processor.http.post(path, content=content, headers=JSON)
        assert answer.status_code == status, (content, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_that_is_too_deep_or_too_large(common_processor: Processor, path: str) -> None:
    nested = json.dumps({**GOOD[path], "config": {"x": deep(50)}, "filename": deep(50)})
    assert (await common_processor.http.post(path, content=nested, headers=JSON)).status_code == 422
    bottomless = b'{"config":' + b"[" * 100_000
    assert (await common_processor.http.post(path, content=bottomless, headers=JSON)).status_code in {400, 422}
    huge = json.dumps({**GOOD[path], "data_source": "x" * 2_000_000})
    assert (await common_processor.http.post(path, content=huge, headers=JSON)).status_code == 413


async def test_a_request_too_large_for_its_record_is_refused(common_processor: Processor) -> None:
    steps = [{"filter": "id > 1 AND value <> '" + "x" * 3_900 + "'"}] * 90
    answer = await common_processor.submit("test", {"transformations": steps})
    assert answer.status_code == 422
    assert "262144" in answer.json()["detail"]


@pytest.mark.parametrize("raw_id", ["../../x", "..", "a..b", LONG, "", "-x", "a b", "a/b", "ü", "a#b", ".x"])
async def test_ids_that_are_none(common_processor: Processor, raw_id: str) -> None:
    body = {"processing_id": raw_id, "data_source": "test", "config": {}}
    answer = await common_processor.http.post("/api/process", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/processing_id"


@pytest.mark.parametrize("raw_id", ["a..b", LONG, "-x", "a%20b", "%00", "%ff", "%F0%9F%92%A9", "a%23b"])
@pytest.mark.parametrize("route", ["status", "results"])
async def test_ids_in_a_path_that_are_none(common_processor: Processor, route: str, raw_id: str) -> None:
    answer = await common_processor.http.get(f"/api/{route}/{raw_id}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "processing_id"


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"status": "lost"}, "status"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "4pyTIMOgIGxhIG1vZGU"}, "cursor"),
        ({"cursor": LONG}, "cursor"),
    ],
)
async def test_lists_that_are_none(common_processor: Processor, parameters: dict[str, str], pointer: str) -> None:
    answer = await common_processor.http.get("/api/process", params=parameters)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("wait", ["-1", "61", "x", "1.5"])
async def test_waits_that_are_none(common_processor: Processor, wait: str) -> None:
    answer = await common_processor.http.get("/api/status/x", params={"wait": wait})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "wait")


@pytest.mark.parametrize("filename", ["../x", "a/b", "", ".hidden", LONG, "a\nb", "x.", "ü.csv", "a..b"])
async def test_file_names_that_are_none(common_processor: Processor, filename: str) -> None:
    answer = await common_processor.http.post("/api/uploads", json={"filename": filename})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/filename"


@pytest.mark.parametrize("more", [{"size": -1}, {"size": 6 * 1024**4}, {"size": "5"}, {"content_type": "a\nb"}])
async def test_uploads_that_are_none(common_processor: Processor, more: dict[str, object]) -> None:
    answer = await common_processor.http.post("/api/uploads", json={"filename": "a.csv", **more})
    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["/api/process", "/api/preview"])
async def test_places_that_a_caller_may_not_read(common_processor: Processor, path: str) -> None:
    bucket = common_processor.settings.bucket
    for source in (
        f"s3://{bucket}/inputs/usr_other/a.csv",
        f"s3://{bucket}/inputs/{common_processor.owner}/../usr_other/a.csv",
        f"s3://{bucket}/inputs/{common_processor.owner}x/a.csv",
        f"s3://{bucket}/*",
        "s3://somebody-elses-bucket/a.csv",
        "s3://",
        "/etc/passwd",
        "http://169.254.169.254/latest/meta-data",
        LONG,
        "",
        [],
        ["test", 5],
    ):
        answer = await common_processor.http.post(path, json={"data_source": source, "config": {}})
        assert answer.status_code == 422, (source, answer.text)
        assert answer.json()["errors"][0]["pointer"].startswith("/data_source")


async def test_made_up_records_are_for_local_mode_alone(common_processor: Processor) -> None:
    answer = await common_processor.http.post("/api/preview", json={"data_source": "TEST", "config": {}})
    assert answer.status_code == 422
    assert "POST /api/uploads" in answer.json()["detail"]


PIPELINES: list[tuple[dict[str, Any], str]] = [
    ({"filter": "id > 1"}, "/config/filter"),
    ({"filter_condition": "id"}, "/config/filter_condition"),
    ({"filter_condition": "id >"}, "/config/filter_condition"),
    ({"filter_condition": "id > 1; DROP TABLE x"}, "/config/filter_condition"),
    ({"filter_condition": "read_text('/etc/passwd') = ''"}, "/config/filter_condition"),
    ({"filter_condition": 5}, "/config/filter_condition"),
    ({"transformations": {"drop": ["id"]}}, "/config/transformations"),
    ({"transformations": [{"drop": ["nothing"]}]}, "/config/transformations/0/drop"),
    ({"transformations": [{"derive": {"x": "idd + 1"}}]}, "/config/transformations/0/derive/x"),
    ({"transformations": [{"explode": ["id"]}]}, "/config/transformations/0/explode"),
    ({"output": {"format": "xml"}}, "/config/output/format"),
]


@pytest.mark.parametrize(("config", "pointer"), PIPELINES)
async def test_pipelines_that_are_none(common_processor: Processor, config: dict[str, Any], pointer: str) -> None:
    answer = await common_processor.http.post("/api/preview", json={"data_source": "test", "config": config})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)


OBJECTS: list[tuple[str, bytes, str]] = [
    ("half.json", b'[{"n": 1}, {"n":', "bad-record"),
    ("half.ndjson", b'{"n": 1}\n{"n":', "bad-record"),
    ("no.json", b"this is no JSON", "bad-record"),
    ("no.json.gz", b"this is no gzip", "bad-record"),
    ("cut.ndjson.gz", gzip.compress(b'{"n": 1}\n' * 100)[:-12], "bad-record"),
    ("utf16.csv", "a,b\n1,2\n".encode("utf-16"), "bad-record"),
    ("latin1.csv", "a,b\nZürich,2\n".encode("latin-1"), "bad-record"),
    ("numbers.json", b"[1, 2, 3]", "bad-record"),
]


@pytest.mark.parametrize(("name", "content", "code"), OBJECTS, ids=[name for name, _, _ in OBJECTS])
async def test_objects_that_are_none(common_processor: Processor, name: str, content: bytes, code: str) -> None:
    source = await common_processor.put(name, content)
    preview = await common_processor.http.post("/api/preview", json={"data_source": source, "config": {}})
    submitted = await common_processor.submit(source)
    for answer in (preview, submitted):
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
        assert name in answer.json()["detail"]


async def test_a_wrong_value_far_down_is_found_by_object_record_and_column(common_processor: Processor) -> None:
    content = b"".join(b'{"n": %d}\n' % i for i in range(400_000)) + b'{"n": "ten"}\n'
    source = await common_processor.put("late.ndjson", content)
    answer = await common_processor.submit(source)
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["code"], problem["record"], problem["column"]) == ("bad-record", 400_001, "n")
    assert problem["object"] == source


@pytest.mark.parametrize("name", ["empty.json", "empty.ndjson", "empty.csv", "list.json"])
async def test_an_object_without_records_gives_a_result_without_any(common_processor: Processor, name: str) -> None:
    source = await common_processor.put(name, b"[]" if name == "list.json" else b"")
    answer = await common_processor.submit(source)
    assert answer.status_code in {200, 422}, answer.text
    if answer.status_code == 200:
        assert answer.json()["metadata"]["processed_records"] == 0


async def test_a_missing_object_is_named(common_processor: Processor) -> None:
    source = f"s3://{common_processor.settings.bucket}/inputs/{common_processor.owner}/nothing.csv"
    for answer in (
        await common_processor.submit(source),
        await common_processor.http.post("/api/preview", json={"data_source": source, "config": {}}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "source-missing")
        assert answer.json()["object"] == source


async def test_a_prefix_without_objects_is_named(common_processor: Processor) -> None:
    source = f"s3://{common_processor.settings.bucket}/inputs/{common_processor.owner}/nothing/*.csv"
    answer = await common_processor.submit(source)
    assert (answer.status_code, answer.json()["code"]) == (422, "no-sources")
    assert source in answer.json()["detail"]


async def test_too_many_objects_are_refused(idle_processor: Processor) -> None:
    for number in range(4):
        await idle_processor.put(f"many/{number}.ndjson", b"{}\n")
    source = f"s3://{idle_processor.settings.bucket}/inputs/{idle_processor.owner}/many/"
    async with worker(idle_processor.settings.model_copy(update={"max_objects": 3})):
        answer = await idle_processor.submit(source)
    assert (answer.status_code, answer.json()["code"]) == (422, "too-many-sources")


@pytest.mark.parametrize(
    ("source", "code", "fact"),
    [
        ("s3://{bucket}/inputs/{owner}/nothing.csv", "source-missing", "there is no such object"),
        ("s3://{bucket}/inputs/{owner}/nothing/", "no-sources", "no object matches"),
        ("s3://{bucket}/inputs/usr_other/a.csv", "invalid-pipeline", "is not among the places that you may read"),
        (5, "invalid-pipeline", "a source is text such as"),
    ],
)
async def test_a_source_that_can_not_be_joined_is_named_where_it_stands(
    common_processor: Processor, source: object, code: str, fact: str
) -> None:
    if isinstance(source, str):
        source = source.format(bucket=common_processor.settings.bucket, owner=common_processor.owner)
    body = {"data_source": "test", "config": {"transformations": [{"join": {"source": source, "on": ["id"]}}]}}
    for path in ("/api/process", "/api/preview"):
        answer = await common_processor.http.post(path, json=body)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, code)
        assert problem["detail"].startswith("config.transformations[0].join.source: ")
        assert fact in problem["detail"]
        assert [error["pointer"] for error in problem["errors"]] == ["/config/transformations/0/join/source"]
