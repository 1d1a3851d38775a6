"""A large object is several parts, which together are what one would have been."""

import gzip
import json
from collections.abc import AsyncIterator

import pytest

from shared.testing.tokens import TokenFactory
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.running import Processor, processor, worker
from tests.support.names import unique_name

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
