"""A large object is several parts, which together are what one would have been."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.processor.domain.parquet_footers import footer_bytes, row_groups
from shared.testing.tokens import TokenFactory
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Call, Life, When, life
from tests.service.processor.running import Processor, processor, worker
from tests.support.names import unique_name
from tests.support.parquet_files import grouped_parquet, parquet

LINES = [{"x": number, "note": 'a\nb, "c" é' * (number % 5)} for number in range(200)]
NDJSON = b"".join(json.dumps(line).encode() + b"\n" for line in LINES)
CONFIG = {"filter_condition": "x % 3 = 0", "stamp": False}


@pytest.fixture
async def cutting_processor(make_settings: MakeSettings, tokens: TokenFactory) -> AsyncIterator[Processor]:
    settings = make_settings(partition_bytes=1024)
    async with processor(settings, tokens, unique_name("usr")) as running, worker(settings):
        yield running


def _csv() -> bytes:
    rows = [f'{line["x"]},"{str(line["note"]).replace(chr(34), chr(34) * 2)}"\n' for line in LINES]
    return ("x,note\n" + "".join(rows)).encode()


@pytest.mark.parametrize(("name", "content"), [("lines.ndjson", NDJSON), ("rows.csv", _csv())])
async def test_a_large_object_is_cut_and_loses_nothing(cutting_processor: Processor, name: str, content: bytes) -> None:
    source = await cutting_processor.put(name, content)
    config = CONFIG | {"output": {"format": "ndjson"}}
    processing_id = (await cutting_processor.submit(source, config)).json()["processing_id"]
    status = await cutting_processor.status(processing_id)
    pieces = -(-len(content) // 1024)
    assert status["progress"]["partitions"] == {"done": pieces, "total": pieces}
    assert status["progress"]["bytes"] == {"done": len(content), "total": len(content)}
    assert (status["input_size"], status["output_size"]) == (200, 67)
    result = await cutting_processor.result(processing_id)
    assert [json.loads(line) for line in result.splitlines()] == LINES[::3]


async def test_what_is_compressed_or_one_array_stays_whole(cutting_processor: Processor) -> None:
    array = await cutting_processor.put("array.json", json.dumps(LINES).encode())
    packed = await cutting_processor.put("lines.ndjson.gz", gzip.compress(NDJSON, compresslevel=1))
    for source in (array, packed):
        processing_id = (await cutting_processor.submit(source, CONFIG)).json()["processing_id"]
        assert (await cutting_processor.status(processing_id))["progress"]["partitions"]["total"] == 1


async def test_a_bad_record_of_a_later_part_is_found_again(cutting_processor: Processor) -> None:
    bad = NDJSON + b'{"x": "nine"}\n'
    answer = await cutting_processor.submit(await cutting_processor.put("bad.ndjson", bad), CONFIG)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "bad-record")
    rest = bad[problem["from_byte"] :].splitlines()
    assert json.loads(rest[problem["record"] - 1]) == {"x": "nine"}
    assert f"record {problem['record']} behind byte {problem['from_byte']}" in problem["detail"]


TEXTS = (
    "CASE WHEN i IN (3000, 9001) THEN 'bad' ELSE i::VARCHAR END AS x, repeat('é', i % 9) AS note FROM range(9500) r(i)"
)
NUMBERED: dict[str, object] = {"stamp": False, "output": {"format": "ndjson"}}


async def test_a_parquet_is_cut_between_its_row_groups(cutting_processor: Processor, tmp_path: Path) -> None:
    content = grouped_parquet(tmp_path, "SELECT i AS x, md5(i::VARCHAR) AS note FROM range(9500) r(i)")
    source = await cutting_processor.put("rows.parquet", content)
    answer = await cutting_processor.submit(source, NUMBERED | {"transformations": [{"select": ["x"]}]})
    status = await cutting_processor.status(answer.json()["processing_id"])
    assert status["progress"]["partitions"] == {"done": 5, "total": 5}
    assert status["progress"]["bytes"] == {"done": len(content), "total": len(content)}
    result = await cutting_processor.result(answer.json()["processing_id"])
    assert result == b"".join(b'{"x":%d}\n' % number for number in range(9500))


async def test_records_of_a_cut_parquet_have_their_numbers_in_the_object(
    cutting_processor: Processor, tmp_path: Path
) -> None:
    source = await cutting_processor.put("texts.parquet", grouped_parquet(tmp_path, f"SELECT {TEXTS}"))
    cast: dict[str, object] = {"derive": {"y": "CAST(x AS BIGINT)"}}
    for steps in ([cast], [{"sort": ["note"]}, {"filter": "x >= 'b'"}, cast]):
        problem = (await cutting_processor.submit(source, NUMBERED | {"transformations": steps})).json()
        assert (problem["code"], problem["object"], problem.get("from_byte")) == ("bad-record", source, None)
        assert problem["record"] in ({3001, 9002} if len(steps) == 1 else {9002})
    for config in ({"input": {"schema": {"x": "BIGINT"}}}, {"transformations": [cast]}):
        kept = NUMBERED | config | {"on_bad_record": "quarantine"}
        made = (await cutting_processor.submit(source, kept)).json()["processing_id"]
        manifest = await cutting_processor.manifest(made)
        assert manifest is not None
        left_out = b"".join([await cutting_processor.read(one["key"]) for one in manifest["rejected"]])
        assert [json.loads(line)["record"] for line in left_out.splitlines()] == [3001, 9002]
        assert "from_byte" not in left_out.decode()


async def test_row_groups_that_are_too_large_are_an_error_with_the_remedy(
    make_settings: MakeSettings, tokens: TokenFactory, tmp_path: Path
) -> None:
    content = grouped_parquet(tmp_path, "SELECT hash(i, k) AS x FROM range(64) r(k), range(2048) s(i)")
    settings = make_settings(partition_bytes=1024, engine_max_plain_mb=1)
    async with processor(settings, tokens, unique_name("usr")) as running, worker(settings):
        fitting = await running.submit(await running.put("fits.parquet", content))
        assert fitting.json()["success"]
        whole = parquet(
            tmp_path, "SELECT hash(i) AS x FROM range(400_000) r(i)", "FORMAT parquet, ROW_GROUP_SIZE 400_000"
        )
        problem = (await running.submit(await running.put("large.parquet", whole))).json()
    assert problem["code"] == "bad-record"
    assert "a row group of it takes 3 MiB, and a part may have 1; write it with smaller row groups" in problem["detail"]


def _fetched(one: Life, key: str) -> list[tuple[int, int]]:
    """Is told of the ranges of an object that a life asks for from now on."""
    ranges: list[tuple[int, int]] = []

    def watch(when: When, call: Call) -> None:
        if when == "before" and call.name == "s3.GetObject" and call.path.endswith(key):
            start, _, end = call.request["headers"]["Range"].removeprefix("bytes=").partition("-")
            ranges.append((int(start), int(end) + 1))

    one.calls.handler = watch
    return ranges


async def test_a_preview_of_a_large_parquet_reads_its_footer_and_its_first_row_groups(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    content = grouped_parquet(tmp_path, "SELECT i, hash(i) AS x FROM range(120_000) r(i)")
    [group, *_] = groups = row_groups(content, len(content), "l.parquet")
    async with life(make_settings(preview_bytes=2 * group.end + 1000)) as one:
        await one.stores.s3.put_object(Bucket=one.settings.bucket, Key="inputs/usr_ada/l.parquet", Body=content)
        ranges = _fetched(one, "/l.parquet")
        shown = await one.as_processor.preview_pipeline(
            "usr_ada", f"s3://{one.settings.bucket}/inputs/usr_ada/l.parquet", {"filter_condition": "i = 4095"}
        )
    assert [record["i"] for record in shown.records_out] == [4095]
    assert shown.records_in[0] == {"i": 0, "x": shown.records_in[0]["x"]}
    footer = len(content) - footer_bytes(content, "l.parquet")
    assert ranges[0] == (0, 2 * group.end + 1000)
    assert ranges[1:] == [(len(content) - 256 * 1024, len(content)), (0, groups[2].start), (footer, len(content))]


async def test_a_part_of_a_parquet_reads_its_row_groups_and_the_footer(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    content = grouped_parquet(tmp_path, "SELECT hash(i) AS x FROM range(6144) r(i)")
    _, second, third = row_groups(content, len(content), "l.parquet")
    footer = len(content) - footer_bytes(content, "l.parquet")
    async with life(make_settings(partition_bytes=1024, max_parts_at_once=1)) as one:
        await one.stores.s3.put_object(Bucket=one.settings.bucket, Key="inputs/usr_ada/l.parquet", Body=content)
        await one.submit("usr_ada", "job", f"s3://{one.settings.bucket}/inputs/usr_ada/l.parquet", {"stamp": False})
        await one.work_once(wait_seconds=1)
        ranges = _fetched(one, "/l.parquet")
        await one.work_once(wait_seconds=1)
    assert ranges == [(second.start, third.start), (footer, len(content))]
