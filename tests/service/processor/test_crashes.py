"""A process dies around any of its AWS calls; another one, which knows nothing of it, ends the job all the same."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.processor.domain.job_names import JobKey
from services.processor.settings import ProcessorSettings
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Life, When, life, until_dead
from tests.support.parquet_files import grouped_parquet

OWNER = "usr_ada"
PADDING = " " * 600
READING = ("Get", "Head", "List", "Query")


BAD_LINE: dict[str, object] = {
    "record": 2,
    "reason": 'this can\'t be read: expecting value near "bad"',
    "byte": 9,
    "bytes": 3,
    "raw": "bad",
}
BAD_ROW: dict[str, object] = {
    "record": 2501,
    "column": "x",
    "reason": '"bad" is no BIGINT, or would not stay the same as one; '
    'correct it, or say config.input.schema: {"x": "VARCHAR"} to keep it as it is',
    "raw": '{"x":"bad"}',
}


@dataclass(frozen=True)
class Case:
    """A job of three parts, or a stage more: what becomes of its good records, what is left out of one of its objects.

    And how many objects lie in its folder then.
    """

    config: dict[str, object]
    good: bytes
    objects: int
    folder: str = "parts/"
    left_out: tuple[str, dict[str, object]] = ("a.ndjson", BAD_LINE)

    def source(self, settings: ProcessorSettings) -> str:
        return f"s3://{settings.bucket}/inputs/{OWNER}/{self.folder}"

    def golden(self, settings: ProcessorSettings) -> bytes:
        """The result, and behind it what was left out."""
        name, said = self.left_out
        line = json.dumps({"object": self.source(settings) + name, **said}, separators=(",", ":"))
        return self.good + line.encode() + b"\n"


ROWS: dict[str, object] = {"filter_condition": "x > 1", "on_bad_record": "quarantine", "stamp": False}
CASES = {
    "one stage": Case(ROWS, b'{"x":2}\n{"x":3}\n{"x":4}\n', objects=6),
    "split": Case(
        ROWS | {"output": {"partition_by": ["x"]}, "transformations": [{"derive": {"y": "x * 2"}}]},
        b'{"y":4}\n{"y":6}\n{"y":8}\n',
        objects=9,
    ),
    "two stages": Case(ROWS | {"transformations": [{"sort": ["-x"]}]}, b'{"x":4}\n{"x":3}\n{"x":2}\n', objects=7),
    "a parquet": Case(
        {
            "filter_condition": "x % 3000 = 1",
            "on_bad_record": "quarantine",
            "input": {"schema": {"x": "BIGINT"}},
            "output": {"format": "ndjson"},
            "stamp": False,
        },
        b'{"x":1}\n{"x":3001}\n{"x":6001}\n',
        objects=6,
        folder="rows/",
        left_out=("rows.parquet", BAD_ROW),
    ),
}


async def submit(one: Life, processing_id: str, case: Case) -> None:
    await one.submit(OWNER, processing_id, case.source(one.settings), case.config)


async def submit_and_work(one: Life, processing_id: str, case: Case) -> None:
    await submit(one, processing_id, case)
    while await one.work_once():
        pass


async def put_inputs(one: Life, folder: Path) -> None:
    query = "SELECT CASE WHEN i = 2500 THEN 'bad' ELSE i::VARCHAR END AS x FROM range(6144) r(i)"
    for name, content in (
        ("parts/a.ndjson", f'{{"x": 1}}\nbad\n{{"x": {PADDING}2}}\n'.encode()),
        ("parts/b.ndjson", f'{{"x": {PADDING}3}}\n'.encode()),
        ("parts/c.ndjson", f'{{"x": {PADDING}4}}\n'.encode()),
        ("rows/rows.parquet", grouped_parquet(folder, query)),
    ):
        key = f"inputs/{OWNER}/{name}"
        await one.stores.s3.put_object(Bucket=one.settings.bucket, Key=key, Body=content)


async def result_of(one: Life, processing_id: str) -> tuple[bytes, list[str]]:
    """The bytes of the parts in order and of what they left out, and the names of all that lies in the job's folder."""
    folder = JobKey(OWNER, processing_id).folder
    found = await one.stores.s3.list_objects_v2(Bucket=one.settings.bucket, Prefix=folder)
    names = [entry["Key"].removeprefix(folder) for entry in found["Contents"]]
    manifest = json.loads(await one.stores.files.manifest(JobKey(OWNER, processing_id)) or b"{}")
    content = b""
    for part in [*manifest["parts"], *manifest["rejected"]]:
        answer = await one.stores.s3.get_object(Bucket=one.settings.bucket, Key=part["key"])
        content += await answer["Body"].read()
    assert {part["key"].removeprefix(folder) for part in manifest["parts"] + manifest["first_stage"]} < set(names)
    return content, names


@pytest.mark.parametrize("name", CASES)
async def test_a_crash_at_any_call_changes_nothing(make_settings: MakeSettings, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    # The planner asks for one part, who does one for another.
    settings = make_settings(long_poll_seconds=0, partition_bytes=1024, max_parts_at_once=2)
    async with life(settings) as first, life(settings) as second:
        await put_inputs(second, tmp_path)
        once, again = [await calls_of(first, second, name, case) for name in ("quiet", "quiet-again")]
        calls = once if len(once) <= len(again) else again
        moments = [moment for number, call in enumerate(calls, 1) for moment in moments_of(number, call)]
        wrong = [moment for moment in moments if not await ends_well(first, second, case, *moment)]
    assert wrong == []


def moments_of(number: int, call: str) -> list[tuple[int, When]]:
    """Whoever dies before a call that only reads leaves behind what is left by a death after it."""
    both: list[tuple[int, When]] = [(number, "before"), (number, "after")]
    return both[1:] if call.split(".")[1].startswith(READING) else both


async def calls_of(first: Life, second: Life, processing_id: str, case: Case) -> list[str]:
    """The calls of a job when nothing happens; a slow machine may need one more now and then."""
    await first.reborn(processing_id)
    await submit_and_work(first, processing_id, case)
    assert (await result_of(second, processing_id))[0] == case.golden(first.settings)
    return list(first.calls.seen)


async def ends_well(first: Life, second: Life, case: Case, number: int, when: When) -> bool:
    """The first dies there, the second goes on, with a queue of their own that holds no message of another case."""
    processing_id = f"crash-{number}-{when}"
    await first.reborn(processing_id)
    await second.reborn(processing_id)
    first.calls.crash_at(number, when)
    assert await until_dead(submit_and_work(first, processing_id, case)), "it did not come that far"
    await submit(second, processing_id, case)  # as a client does that heard nothing
    job = await second.finish(JobKey(OWNER, processing_id))
    content, names = await result_of(second, processing_id)
    assert job.outcome is not None
    counts = job.outcome.counts
    counted = (counts.records_out, counts.records_rejected) == (3, 1)
    return content == case.golden(second.settings) and counted and len(names) == case.objects
