"""What one request may cost: previews that wait, keys that are listed, objects that are pinned."""

import asyncio

import pytest

from services.processor.domain.input_errors import SourceMissing, TooManySources
from services.processor.domain.pipeline_errors import DeadlineExceeded
from services.processor.domain.sources import ObjectSource, PrefixSource, Source
from services.processor.stores.source_finder import SourceFinder
from shared.errors import RateLimited
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import Life, Stall, life

OWNER = "usr_ada"


async def test_previews_wait_for_one_another_but_not_without_end(make_settings: MakeSettings) -> None:
    async with life(make_settings(slots=1, max_waiting_previews=1)) as one:
        preview = one.as_processor.preview_pipeline
        answers = await asyncio.gather(*(preview(OWNER, "test", {}) for _ in range(3)), return_exceptions=True)
        [refused] = [answer for answer in answers if isinstance(answer, BaseException)]
        assert isinstance(refused, RateLimited)
        assert refused.retry_after_seconds == 1
        await preview(OWNER, "test", {})  # and the places are free again


async def test_a_previews_deadline_holds_for_all_that_it_waits_for(make_settings: MakeSettings) -> None:
    async with life(make_settings(preview_deadline_seconds=0.3)) as one:
        source = await put(one, "orders.ndjson")
        one.calls.handler = Stall("s3.GetObject")
        with pytest.raises(DeadlineExceeded, match=r"took longer than 0\.3 s"):
            await one.as_processor.preview_pipeline(OWNER, source, {})


async def put(one: Life, name: str) -> str:
    key = f"inputs/{OWNER}/{name}"
    await one.stores.s3.put_object(Bucket=one.settings.bucket, Key=key, Body=b'{"x": 1}\n')
    return f"s3://{one.settings.bucket}/{key}"


def finder(one: Life, *, most_objects: int, most_keys: int) -> SourceFinder:
    return SourceFinder(one.stores.inputs, 1000, most_objects, most_keys, 2)


def below(one: Life, glob: str) -> PrefixSource:
    return PrefixSource(one.settings.bucket, f"inputs/{OWNER}/", f"inputs/{OWNER}/{glob}")


async def test_keys_that_do_not_match_are_counted_as_well_over_all_globs(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        for number in range(4):
            await put(one, f"{number}.ndjson")
        globs = [below(one, "none-*"), below(one, "0*")]
        assert len((await finder(one, most_objects=1, most_keys=8).find(globs)).sources) == 1
        with pytest.raises(TooManySources, match="more than 7 keys"):
            await finder(one, most_objects=1, most_keys=7).find(globs)


async def test_objects_are_counted_once_over_all_globs(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        for number in range(4):
            await put(one, f"{number}.ndjson")
        globs: list[Source] = [below(one, "*"), below(one, "?.ndjson")]
        assert len((await finder(one, most_objects=4, most_keys=100).find(globs)).sources) == 4
        with pytest.raises(TooManySources, match="more than 3 objects"):
            await finder(one, most_objects=3, most_keys=100).find([below(one, "0*"), below(one, "[!0]*"), *globs])


async def test_a_source_that_is_missing_ends_the_search_and_is_named(make_settings: MakeSettings) -> None:
    async with life(make_settings()) as one:
        there = await put(one, "there.ndjson")
        keys = [there.removeprefix(f"s3://{one.settings.bucket}/"), f"inputs/{OWNER}/gone"]
        with pytest.raises(SourceMissing, match="gone: there is no such object"):
            await finder(one, most_objects=9, most_keys=9).find([ObjectSource(one.settings.bucket, k) for k in keys])
        before = len(one.calls.seen)
        await asyncio.sleep(0.1)
        assert len(one.calls.seen) == before
