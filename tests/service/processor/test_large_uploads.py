"""An object that is too large for one PUT goes up in parts."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.processor.domain.uploads import MOST_UPLOAD_BYTES, part_sizes
from shared.testing.tokens import TokenFactory
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.running import Processor, processor, worker
from tests.support.names import unique_name

MEBIBYTE = 1024**2
LINE = b'{"x": 1, "y": "' + b"y" * 1000 + b'"}\n'
CONTENT = LINE * (6 * MEBIBYTE // len(LINE))  # two parts


@pytest.fixture
async def splitting_processor(make_settings: MakeSettings, tokens: TokenFactory) -> AsyncIterator[Processor]:
    settings = make_settings(single_upload_bytes=MEBIBYTE, upload_part_bytes=5 * MEBIBYTE)
    async with processor(settings, tokens, unique_name("usr")) as running, worker(settings):
        yield running


async def begun(running: Processor) -> dict[str, Any]:
    answer = await running.http.post("/api/uploads", json={"filename": "a.ndjson", "size": len(CONTENT)})
    assert answer.status_code == 201, answer.text
    upload: dict[str, Any] = answer.json()
    return upload


async def put_parts(upload: dict[str, Any], *wanted: int) -> None:
    async with httpx.AsyncClient() as outside:
        start = 0
        for part in upload["parts"]:
            if part["part"] in wanted:
                sent = await outside.put(part["url"], content=CONTENT[start : start + part["bytes"]])
                assert sent.status_code == 200, sent.text
            start += part["bytes"]


async def complete(running: Processor, upload: dict[str, Any], **other: object) -> httpx.Response:
    body = {"data_source": upload["data_source"], "upload_id": upload["upload_id"], "parts": len(upload["parts"])}
    return await running.http.post("/api/uploads/complete", json=body | other)


async def test_a_large_object_is_uploaded_in_parts_and_processed(splitting_processor: Processor) -> None:
    upload = await begun(splitting_processor)
    assert (upload["url"], [part["bytes"] for part in upload["parts"]]) == (
        None,
        [5 * MEBIBYTE, len(CONTENT) - 5 * MEBIBYTE],
    )
    await put_parts(upload, 1, 2)
    for _ in range(2):  # the answer may be lost, and the client asks again
        answer = await complete(splitting_processor, upload)
        assert (answer.status_code, answer.json()) == (
            200,
            {"data_source": upload["data_source"], "bytes": len(CONTENT)},
        )
    job = await splitting_processor.submit(
        upload["data_source"], {"transformations": [{"drop": ["y"]}], "stamp": False}
    )
    assert job.status_code == 200, job.text
    assert job.json()["metadata"]["processed_records"] == CONTENT.count(b"\n")


async def test_what_is_missing_is_named_and_can_be_sent_later(splitting_processor: Processor) -> None:
    upload = await begun(splitting_processor)
    await put_parts(upload, 2)
    answer = await complete(splitting_processor, upload)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload-incomplete")
    assert "Parts 1 are missing" in answer.json()["detail"]
    await put_parts(upload, 1)
    assert (await complete(splitting_processor, upload)).status_code == 200


async def test_an_upload_of_nobody_and_one_of_somebody_else_are_not_found(splitting_processor: Processor) -> None:
    upload = await begun(splitting_processor)
    headers = splitting_processor.headers_of("usr_other")
    body = {"data_source": upload["data_source"], "upload_id": upload["upload_id"], "parts": 2}
    answers = [
        await splitting_processor.http.post("/api/uploads/complete", json=body, headers=headers),
        await complete(splitting_processor, upload, upload_id="no-such-upload"),
        await complete(splitting_processor, upload, data_source="s3://elsewhere/a"),
        await complete(splitting_processor, upload, data_source=upload["data_source"] + "x"),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "upload-not-found")}


@pytest.mark.parametrize("size", [1, 64 * MEBIBYTE, 5 * 1024**3 + 1, 70_000_000_001, MOST_UPLOAD_BYTES])
def test_parts_are_as_s3_takes_them(size: int) -> None:
    sizes = part_sizes(size, least=64 * MEBIBYTE)
    assert sum(sizes) == size
    assert len(sizes) <= 2000
    assert all(5 * MEBIBYTE <= each <= 5 * 1024**3 for each in sizes[:-1])
    assert 0 < sizes[-1] <= 5 * 1024**3
