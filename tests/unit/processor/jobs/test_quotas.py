"""What one owner may have at once, and all together."""

import pytest

from services.processor.domain.quotas import QueueFull, QuotaExceeded, Quotas, Usage

QUOTAS = Quotas(jobs=100, bytes=1000, parts=32, waiting=1000)


def test_below_each_quota_there_is_room() -> None:
    QUOTAS.check(Usage(99, 999))


@pytest.mark.parametrize(
    ("usage", "setting"), [(Usage(100, 0), "MAYFLY_MAX_OPEN_JOBS"), (Usage(0, 1000), "MAYFLY_MAX_OPEN_BYTES")]
)
def test_at_a_quota_there_is_none(usage: Usage, setting: str) -> None:
    with pytest.raises(QuotaExceeded, match=setting):
        QUOTAS.check(usage)


@pytest.mark.parametrize(("jobs", "unasked"), [(0, 10), (50, 5), (91, 0), (100, 0), (200, 0)])
def test_an_instance_looks_again_the_sooner_the_less_is_left(jobs: int, unasked: int) -> None:
    assert QUOTAS.unasked(Usage(jobs)) == unasked


def test_below_the_quota_of_all_there_is_room_and_at_it_there_is_none() -> None:
    QUOTAS.check_all(999)
    with pytest.raises(QueueFull, match="MAYFLY_MAX_WAITING_MESSAGES") as refused:
        QUOTAS.check_all(1000)
    assert refused.value.retry_after_seconds


@pytest.mark.parametrize(("waiting", "unasked"), [(0, 10), (500, 5), (901, 0), (1000, 0), (2000, 0)])
def test_the_queue_is_looked_at_again_the_sooner_the_less_is_left(waiting: int, unasked: int) -> None:
    assert QUOTAS.unasked_of_all(waiting) == unasked


@pytest.mark.parametrize(("jobs", "parts"), [(0, 32), (1, 32), (3, 10), (100, 1)])
def test_open_jobs_share_the_parts(jobs: int, parts: int) -> None:
    assert QUOTAS.parts_of_one(Usage(jobs)) == parts
