"""The stores' own promises, on real backends."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.processor.domain.formats import NDJSON, Encoding
from services.processor.domain.input_errors import SourceChanged, SourceMissing
from services.processor.domain.job_names import JobKey
from services.processor.domain.parquet_footers import footer_bytes
from services.processor.domain.pinned_sources import PinnedObject, Slice
from services.processor.domain.pipeline_errors import RecordError
from services.processor.domain.thrift_compact import CompactReader, i64
from services.processor.resources import Stores, open_stores
from services.processor.stores.cutting import Cutting
from services.processor.stores.inputs import RANGE_BYTES
from services.processor.stores.job_files import MOST_AT_ONCE_BYTES
from services.processor.stores.source_finder import Found
from services.processor.stores.work_folder import WorkFolder, process_folder, sha256_of
from shared.clients.aws import open_s3
from tests.service.processor.conftest import MakeSettings
from tests.support.parquet_files import parquet

KEY = JobKey("usr_ada", "j")


@pytest.fixture
async def stores(make_settings: MakeSettings) -> AsyncIterator[Stores]:
    async with open_stores(make_settings()) as stores:
        yield stores


async def put(stores: Stores, key: str, content: bytes) -> PinnedObject:
    await stores.s3.put_object(Bucket=stores.files.bucket, Key=key, Body=content)
    return await stores.inputs.pin(stores.files.bucket, key)


async def test_a_large_object_is_read_in_ranges_and_is_the_same(stores: Stores, tmp_path: Path) -> None:
    content = bytes(range(256)) * (RANGE_BYTES // 256 * 2) + b"end"
    source = await put(stores, "large", content)
    await stores.inputs.download(source, Slice(0, 0, source.size), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content


async def test_a_slice_of_an_object_is_read_behind_its_head(stores: Stores, tmp_path: Path) -> None:
    content = bytes(range(256)) * (RANGE_BYTES // 256 * 3)
    source = await put(stores, "sliced", content)
    start, end = RANGE_BYTES // 2, RANGE_BYTES * 5 // 2 + 1
    await stores.inputs.download(source, Slice(0, start, end, 100), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content[:100] + content[start:end]


async def test_a_line_longer_than_what_is_read_at_a_cut_is_left_whole(stores: Stores) -> None:
    long = b'{"x": "' + b"y" * 200_000 + b'"}\n'
    source = await put(stores, "long.ndjson", b'{"x": ""}\n' + long + b'{"x": ""}\n' + long)
    cut = await Cutting(stores.inputs, 100_000, 100_000).slices(
        Found((source,), (None,), (b"",)), [Encoding(NDJSON, "none")]
    )
    assert [(one.start, one.end) for one in cut] == [(0, 10 + len(long)), (10 + len(long), source.size)]


async def test_a_first_row_group_that_is_too_large_for_a_preview_is_not_fetched(stores: Stores, tmp_path: Path) -> None:
    content = parquet(tmp_path, "SELECT hash(i) AS x FROM range(9) r(i)")
    claims = CompactReader(content[-footer_bytes(content, "x") : -8]).edited(
        {4: {1: {3: {7: lambda _: i64(200 << 20), 9: lambda _: i64(4)}}}}
    )
    ending = claims + len(claims).to_bytes(4, "little") + b"PAR1"
    found = Found((PinnedObject("bucket", "large.parquet", "", 300 << 20),), (b"PAR1",), (ending,))
    with pytest.raises(
        RecordError, match=r"takes 300 MiB, too large for a preview; submit a job with the step {\"limit"
    ):
        await WorkFolder(tmp_path, stores.inputs).first_row_groups(found, most_bytes=1000)


async def test_an_empty_object_is_read(stores: Stores, tmp_path: Path) -> None:
    source = await put(stores, "empty", b"")
    assert await stores.inputs.begin(source.bucket, "empty", most_bytes=100) == (source, b"")
    await stores.inputs.download(source, Slice(0, 0, source.size), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b""


async def test_the_beginning_of_an_object_pins_it(stores: Stores) -> None:
    source = await put(stores, "x", b"0123456789")
    assert await stores.inputs.begin(source.bucket, "x", most_bytes=4) == (source, b"0123")
    assert await stores.inputs.begin(source.bucket, "x", most_bytes=400) == (source, b"0123456789")


async def test_an_object_that_was_replaced_is_not_read(stores: Stores, tmp_path: Path) -> None:
    source = await put(stores, "x", b"before")
    await put(stores, "x", b"after!")
    with pytest.raises(SourceChanged, match=r"s3://.*/x was replaced"):
        await stores.inputs.download(source, Slice(0, 0, source.size), tmp_path / "copy")


async def test_an_object_that_is_gone_is_named(stores: Stores, tmp_path: Path) -> None:
    source = await put(stores, "x", b"before")
    await stores.s3.delete_object(Bucket=source.bucket, Key="x")
    with pytest.raises(SourceMissing, match=r"s3://.*/x: there is no such object"):
        await stores.inputs.download(source, Slice(0, 0, source.size), tmp_path / "copy")


async def test_a_prefix_is_listed_past_the_first_page(stores: Stores) -> None:
    bucket = stores.files.bucket
    gate = asyncio.Semaphore(20)

    async def put_one(number: int) -> None:
        async with gate:
            await stores.s3.put_object(Bucket=bucket, Key=f"many/{number:04d}", Body=b"x")

    await asyncio.gather(*(put_one(number) for number in range(1005)))
    listed = [source.key async for source in stores.inputs.below(bucket, "many/")]
    assert listed == [f"many/{number:04d}" for number in range(1005)]


async def test_the_first_manifest_holds(stores: Stores) -> None:
    answers = await asyncio.gather(*(stores.files.decide_manifest(KEY, f"manifest {i}") for i in range(8)))
    assert len(set(answers)) == 1
    assert await stores.files.manifest(KEY) == answers[0]


async def test_a_part_is_stored_once_however_large(stores: Stores, tmp_path: Path) -> None:
    for size in (10, MOST_AT_ONCE_BYTES + 1):
        path = tmp_path / str(size)
        path.write_bytes(bytes(size))
        key = f"{KEY.folder}data/{size}"
        await stores.files.put_part(key, path, content_type="text/csv", sha256=sha256_of(path))
        first = await stores.s3.head_object(Bucket=stores.files.bucket, Key=key)
        await stores.files.put_part(key, path, content_type="text/csv", sha256=sha256_of(path))
        again = await stores.s3.head_object(Bucket=stores.files.bucket, Key=key)
        assert (again["ContentLength"], again["ContentType"]) == (size, "text/csv")
        assert again["LastModified"] == first["LastModified"]


async def test_a_large_part_that_is_written_twice_leaves_no_upload_open(stores: Stores, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(MOST_AT_ONCE_BYTES + 1))
    key = f"{KEY.folder}data/large"
    await asyncio.gather(
        *(stores.files.put_part(key, path, content_type="text/csv", sha256=sha256_of(path)) for _ in range(2))
    )
    listed = await stores.s3.list_multipart_uploads(Bucket=stores.files.bucket)
    assert listed.get("Uploads", []) == []


async def test_a_message_is_hidden_and_comes_back(stores: Stores) -> None:
    await stores.queue.sqs.send_message(QueueUrl=await stores.queue.url.get(), MessageBody="x")
    [delivery] = await stores.queue.receive(most=1, wait_seconds=1, visibility_seconds=600)
    assert await stores.queue.receive(most=1, wait_seconds=0, visibility_seconds=600) == []
    await stores.queue.hide(delivery, seconds=0)
    [again] = await stores.queue.receive(most=1, wait_seconds=1, visibility_seconds=600)
    assert (again.raw_body, again.receives) == ("x", 2)
    await stores.queue.done(again)
    await stores.queue.done(again)  # no harm


def test_folders_of_processes_that_were_killed_are_removed(tmp_path: Path) -> None:
    with process_folder(str(tmp_path)) as living:
        abandoned, new = tmp_path / "mayfly-work-old", tmp_path / "mayfly-work-new"
        for folder in (abandoned, new):
            folder.mkdir()
            (folder / "lock").touch()
        for folder in (abandoned, living):
            os.utime(folder, (0, 0))
        with process_folder(str(tmp_path)) as other:
            assert set(tmp_path.iterdir()) == {living, other, new}


async def test_a_client_that_is_closed_opens_no_connection_any_more(make_settings: MakeSettings) -> None:
    async with open_s3(make_settings()) as s3:
        await s3.list_buckets()
    with pytest.raises(RuntimeError, match="is closed"):
        await s3.list_buckets()
