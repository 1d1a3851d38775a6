"""Bad records of a job: counted in its status, kept beside its result, and shown by a preview before there is a job."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shared.testing.tokens import TokenFactory
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.running import Processor, processor, worker
from tests.support.names import unique_name

LINES = b'{"x":1}\nnonsense\n{"x":0}\n{"x":2}\n'
CONFIG: dict[str, Any] = {"transformations": [{"derive": {"y": "6 // x"}}], "stamp": False}
REASONS = ["config.transformations[0].derive.y: Division by zero"]


async def answer_of(running: Processor, processing_id: str) -> dict[str, Any]:
    answer = await running.http.get(f"/api/results/{processing_id}", headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def fetched(url: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient() as http:
        return [json.loads(line) for line in (await http.get(url)).raise_for_status().content.splitlines()]


async def test_bad_records_are_counted_kept_and_found_again(common_processor: Processor) -> None:
    source = await common_processor.put("bad.ndjson", LINES)
    answer = await common_processor.submit(source, CONFIG | {"on_bad_record": "quarantine"})
    processing_id = answer.json()["processing_id"]
    status = await common_processor.status(processing_id)
    assert (status["input_size"], status["output_size"], status["rejected_size"]) == (4, 2, 2)
    result = await answer_of(common_processor, processing_id)
    [kept], [link] = result["manifest"]["rejected"], result["rejected"]
    content = await common_processor.read(kept["key"])
    assert kept == {
        "key": f"jobs/{common_processor.owner}/{processing_id}/rejected/part-00000-{kept['sha256']}.ndjson",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "records": 2,
    }
    assert link.items() >= {name: kept[name] for name in ("sha256", "bytes", "records")}.items()
    first, second = await fetched(link["url"])
    assert (first["object"], first["record"], first["byte"], first["raw"]) == (source, 2, 8, "nonsense")
    assert (second["record"], second["reason"], second["raw"]) == (3, *REASONS, '{"x":0}')


async def test_skipped_ones_are_counted_alone(common_processor: Processor) -> None:
    source = await common_processor.put("bad.ndjson", LINES)
    answer = await common_processor.submit(source, CONFIG | {"on_bad_record": "skip"})
    processing_id = answer.json()["processing_id"]
    assert (await common_processor.status(processing_id))["rejected_size"] == 2
    result = await answer_of(common_processor, processing_id)
    assert (result["rejected"], result["manifest"]["rejected"]) == ([], [])
    assert await common_processor.result(processing_id) == b'{"x":1,"y":6}\n{"x":2,"y":3}\n'


async def test_a_job_all_of_whose_records_are_bad_has_an_empty_result(common_processor: Processor) -> None:
    source = await common_processor.put("bad.ndjson", b"one\ntwo\n")
    answer = await common_processor.submit(source, {"on_bad_record": "quarantine"})
    processing_id = answer.json()["processing_id"]
    status = await common_processor.status(processing_id)
    assert (status["status"], status["output_size"], status["rejected_size"]) == ("completed", 0, 2)
    assert await common_processor.result(processing_id) == b""


async def test_a_preview_shows_what_a_job_would_leave_out(common_processor: Processor) -> None:
    source = await common_processor.put("bad.ndjson", LINES)
    for policy in ("skip", "quarantine"):
        body = {"data_source": source, "config": CONFIG | {"on_bad_record": policy}}
        shown = (await common_processor.http.post("/api/preview", json=body)).json()
        assert shown["records_in"] == [{"x": 1}, {"x": 0}, {"x": 2}]
        assert shown["records_out"] == [{"x": 1, "y": 6}, {"x": 2, "y": 3}]
        assert [one["record"] for one in shown["rejected"]] == [2, 3]
    failed = await common_processor.http.post("/api/preview", json={"data_source": source, "config": CONFIG})
    assert (failed.status_code, failed.json()["code"]) == (422, "bad-record")


@pytest.fixture
async def cutting_processor(make_settings: MakeSettings, tokens: TokenFactory) -> AsyncIterator[Processor]:
    settings = make_settings(partition_bytes=1024)
    async with processor(settings, tokens, unique_name("usr")) as running, worker(settings):
        yield running


@pytest.mark.parametrize("name", ["lines.ndjson", "rows.csv"])
async def test_where_an_object_is_cut_they_are_the_same(
    cutting_processor: Processor, common_processor: Processor, name: str
) -> None:
    records = [f'{{"x":{i}}}' if i % 7 else "nonsense é" for i in range(1, 500)]
    if name.endswith("csv"):
        records = ["\ufeffx,y", *(f"{i},y" if i % 7 else "é,1,\x00" for i in range(1, 500))]
    content = "\n".join(records).encode()
    kept = []
    for running in (cutting_processor, common_processor):
        config = {"on_bad_record": "quarantine", "stamp": False, "input": {"schema": {"x": "BIGINT"}}}
        answer = await running.submit(await running.put(name, content), config)
        links = (await answer_of(running, answer.json()["processing_id"]))["rejected"]
        kept.append([one for link in links for one in await fetched(link["url"])])
    assert len(kept[0]) == len(kept[1]) == 71
    assert any("from_byte" in one for one in kept[0])
    for one, other in zip(*kept, strict=True):
        for key in ("byte", "bytes", "reason", "raw"):
            assert one[key] == other[key]
        assert content[one["byte"] :][: one["bytes"]].decode() == one["raw"]
