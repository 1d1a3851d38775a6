"""A dry run says what a job would be, in the job's own numbers, and writes nothing."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.processor.domain.job_names import JobKey
from services.processor.domain.outcomes import JobState
from services.processor.domain.submissions import Submission
from services.processor.flows.try_job import Trial
from shared.testing.tokens import TokenFactory
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Life, life
from tests.service.processor.running import Processor, processor
from tests.support.job_client import orders
from tests.support.names import unique_name
from tests.support.parquet_files import grouped_parquet

OWNER = "usr_ada"
CASES: list[tuple[str | list[str], dict[str, Any]]] = [
    ("one.ndjson", {}),
    ("large.ndjson", {"filter_condition": "id > 10"}),
    ("large.ndjson", {"transformations": [{"sort": ["-id"]}]}),
    (
        "large.ndjson",
        {"transformations": [{"sort": ["-id"]}, {"join": {"source": "{root}names.csv", "on": ["id"]}}]},
    ),
    ("many/", {"transformations": [{"aggregate": {"measures": {"n": "COUNT(*)"}}}]}),
    ("large.ndjson", {"transformations": [{"join": {"source": "{root}names.csv", "on": ["id"]}}]}),
    ("many/", {}),
    ("many/", {"transformations": [{"derive": {"n": "0"}}], "output": {"partition_by": ["n"]}}),
    (
        "large.ndjson",
        {"transformations": [{"sort": ["id"]}, {"derive": {"n": "0"}}], "output": {"partition_by": ["n"]}},
    ),
    ("many/*0.csv", {}),
    (["one.ndjson", "large.ndjson"], {}),
    ("rows.parquet", {}),
    (["rows.parquet", "one.ndjson"], {"transformations": [{"sort": ["-id"]}]}),
]
READS = {"s3.GetObject", "s3.HeadObject", "s3.ListObjectsV2", "dynamodb.GetItem"}


async def put(one: Life, name: str, content: bytes) -> str:
    key = f"inputs/{OWNER}/{name}"
    await one.stores.s3.put_object(Bucket=one.settings.bucket, Key=key, Body=content)
    return f"s3://{one.settings.bucket}/{key}"


async def tried(one: Life, data_source: object, config: dict[str, object]) -> Trial:
    flows = one.as_processor
    return await flows.try_job(OWNER, Submission(None, None, None, data_source, config))


def counted(seen: list[str]) -> dict[str, int]:
    """As an estimate counts; a receive by this test may bring several messages, so it is left out."""
    calls = Counter(seen)
    s3 = sum(count for name, count in calls.items() if name.startswith("s3."))
    reads = calls["s3.GetObject"] + calls["s3.HeadObject"]
    dynamodb = sum(count for name, count in calls.items() if name.startswith("dynamodb."))
    sqs = sum(count for name, count in calls.items() if name.startswith("sqs.")) - calls["sqs.ReceiveMessage"]
    return {"s3_reads": reads, "s3_writes": s3 - reads, "dynamodb_calls": dynamodb, "sqs_requests": sqs}


@pytest.mark.parametrize("case", range(len(CASES)))
async def test_it_counts_the_requests_that_the_job_then_makes(
    make_settings: MakeSettings, tmp_path: Path, case: int
) -> None:
    source, config = CASES[case]
    async with life(make_settings(partition_bytes=20_000, long_poll_seconds=0, sample_objects=2)) as one:
        await put(one, "one.ndjson", orders(3))
        await put(one, "large.ndjson", orders(700))
        await put(one, "rows.parquet", grouped_parquet(tmp_path, "SELECT i AS id FROM range(9000) r(i)"))
        await put(one, "names.csv", b"id,name\n1,Ada\n")
        for number in range(12):
            await put(one, f"many/{number}.csv", b"id\n" + b"%d\n" % number * 6000)
        root = f"s3://{one.settings.bucket}/inputs/{OWNER}/"
        named = [root + each for each in source] if isinstance(source, list) else root + source
        config = json.loads(json.dumps(config).replace("{root}", root))
        await one.reborn(unique_name("counted"))
        trial = await tried(one, named, config)
        assert set(one.calls.seen) <= READS
        one.calls.seen.clear()
        job = await one.submit(OWNER, "job", named, config)
        while await one.work_once():
            pass
        asked = counted(one.calls.seen)
        ended = await one.stores.jobs.find(job.key)
        assert (ended.state, ended.parts) == (JobState.COMPLETED, trial.plan.parts)
        expected = {name: getattr(trial.requests, name) for name in asked}
        assert asked == expected | {"sqs_requests": expected["sqs_requests"] - ended.parts}


async def test_nothing_is_written_and_no_id_is_taken(idle_processor: Processor) -> None:
    source = await idle_processor.put("n.ndjson", b'{"n": 1}\n{"n": 2}\n')
    body = {"processing_id": "mine", "data_source": source, "config": {"filter_condition": "n > 1"}, "dry_run": True}
    answer = await idle_processor.http.post("/api/process", json=body)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["dry_run"], said["bytes"], said["partitions"]) == (True, 18, 1)
    [found] = said["plan"]["objects"]
    head = await idle_processor.stores.s3.head_object(
        Bucket=idle_processor.settings.bucket, Key=source[6:].partition("/")[2]
    )
    assert found == {"name": source, "etag": head["ETag"], "bytes": 18, "format": "ndjson", "compression": "none"}
    assert said["plan"]["schema_in"] == {"n": "BIGINT"}
    assert said["plan"]["steps"] == [{"place": "config.filter_condition", "needs_all_records": False}]
    assert 0 < said["estimate"]["usd"] < 0.001
    assert await idle_processor.stores.jobs.get(JobKey(idle_processor.owner, "mine")) is None
    assert (await idle_processor.stores.queue.depth()).waiting == 0
    other = await idle_processor.submit("test", processing_id="mine", prefer="respond-async")
    assert other.status_code == 202


async def test_it_runs_a_stored_pipeline_too(idle_processor: Processor) -> None:
    await idle_processor.http.put("/api/pipelines/kept", json={"data_source": "test", "config": {}})
    answer = await idle_processor.http.post("/api/process", json={"pipeline": "kept", "dry_run": True})
    assert answer.json()["plan"]["objects"][0]["etag"] is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"data_source": "s3://elsewhere/x.csv"}, "/data_source"),
        ({"data_source": "test", "config": {"filter_condition": "prize > 1"}}, "/config/filter_condition"),
        ({"data_source": "test", "processing_id": "../x"}, "/processing_id"),
        ({"pipeline": "none"}, "/pipeline"),
    ],
)
async def test_what_is_wrong_is_told_as_the_job_would(
    idle_processor: Processor, body: dict[str, object], pointer: str
) -> None:
    answer = await idle_processor.http.post("/api/process", json={**body, "dry_run": True})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_source_that_is_missing_is_named(idle_processor: Processor) -> None:
    source = f"s3://{idle_processor.settings.bucket}/inputs/{idle_processor.owner}/none.csv"
    answer = await idle_processor.http.post("/api/process", json={"data_source": source, "dry_run": True})
    assert (answer.status_code, answer.json()["code"], answer.json()["object"]) == (422, "source-missing", source)


@pytest.fixture
async def hasty_processor(make_settings: MakeSettings, tokens: TokenFactory) -> AsyncIterator[Processor]:
    async with processor(make_settings(preview_deadline_seconds=0.001), tokens, unique_name("usr")) as running:
        yield running


async def test_one_that_takes_too_long_says_so(hasty_processor: Processor) -> None:
    source = await hasty_processor.put("n.ndjson", b'{"n": 1}\n')
    answer = await hasty_processor.http.post("/api/process", json={"data_source": source, "dry_run": True})
    assert (answer.status_code, answer.json()["code"]) == (422, "deadline-exceeded")
