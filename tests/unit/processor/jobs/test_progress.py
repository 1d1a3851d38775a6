"""What is done of a job, what is missing, and when somebody has to look after it."""

import json
from dataclasses import replace

from services.processor.domain.formats import CSV, NDJSON, Encoding
from services.processor.domain.input_errors import SourceMissing
from services.processor.domain.job_names import JobKey, JobRequest
from services.processor.domain.jobs import Job, Lease
from services.processor.domain.manifests import (
    completed,
    failed,
    manifest_text,
    outcome_of,
    parse_manifest,
)
from services.processor.domain.outcomes import Counts, JobError, JobState, Outcome
from services.processor.domain.part_results import PartResult
from services.processor.domain.parts_to_ask import missing_parts, parts_after
from services.processor.domain.pinned_sources import (
    PartInput,
    PinnedObject,
    PinnedSample,
    Slice,
    one_each,
    packed,
    spread,
    whole,
)
from services.processor.domain.plans import JoinedSource, Plan, parse_plan, plan_text
from services.processor.domain.progress import (
    Pace,
    PartRecord,
    attempts_of,
    may_have_ended,
    next_sweep_ms,
    progress_of,
)
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.work import Done, Poisoned, error_of, verdict_on
from services.processor.domain.work_errors import put_off_or_over, tried_too_often
from shared.errors import Unavailable

NOW = 1_000_000
FREE, HELD = Lease(1, 1, NOW - 1), Lease(3, 2, NOW + 1)
COUNTS = Counts(10, 8, 1, 100, 80)
JOB = Job(JobKey("usr_ada", "j"), JobRequest("test", {"stamp": False}), NOW - 5000, JobState.RUNNING, parts=3)
PLAN = Plan(
    request_sha256=JOB.request.fingerprint,
    sources=(PinnedObject("data", "a.csv", '"e1"', 60), PinnedSample("test.json", 40)),
    encodings=(Encoding(CSV, "gzip"), Encoding(NDJSON, "none")),
    partitions=((Slice(0, 0, 60),), (Slice(1, 0, 40),)),
    schema=Schema((Column("b", "BIGINT"), Column("a", "VARCHAR"))),
    output=Encoding(CSV, "none"),
    engine="duckdb 9",
    joined=(
        JoinedSource(
            (PinnedObject("data", "b.csv", '"e2"', 7),), (Encoding(CSV, "none"),), Schema((Column("c", "DOUBLE"),))
        ),
    ),
)


def result(part: int) -> PartResult:
    return PartResult(part, "ab", COUNTS)


def record(part: int, lease: Lease = FREE, *, done: bool = False) -> PartRecord:
    return PartRecord(part, lease, result(part) if done else None)


def test_parts_that_nobody_has_are_missing() -> None:
    assert missing_parts(JOB, [record(0, done=True), record(1, HELD)], now_ms=NOW) == (2,)
    assert missing_parts(JOB, [record(0, FREE)], now_ms=NOW) == (0, 1, 2)


def test_no_more_parts_are_asked_for_than_the_job_may_have_at_once() -> None:
    job = replace(JOB, parts=9, parts_at_once=3)
    assert missing_parts(job, [], now_ms=NOW) == (0, 1, 2)
    assert missing_parts(job, [record(0, done=True), record(1, HELD)], now_ms=NOW) == (2, 3)
    assert missing_parts(job, [record(part, HELD) for part in range(3)], now_ms=NOW) == ()


def test_who_has_done_a_part_asks_for_the_one_that_waits_for_it() -> None:
    job = replace(JOB, parts=9, parts_at_once=3)
    assert parts_after(job, 0, [record(0, done=True)]) == (3,)
    assert parts_after(job, 0, [record(0, done=True), record(3, HELD)]) == ()
    assert parts_after(job, 6, [record(6, done=True)]) == ()
    assert parts_after(JOB, 0, [record(0, done=True)]) == ()  # of an earlier version: all were asked for


def test_when_all_parts_are_done_the_first_is_asked_for_so_that_somebody_commits() -> None:
    assert missing_parts(JOB, [record(part, done=True) for part in range(3)], now_ms=NOW) == (0,)


STAGED = replace(JOB, second_parts=1)


def test_a_second_stage_is_missing_only_once_the_first_is_done() -> None:
    assert missing_parts(STAGED, [record(0, done=True)], now_ms=NOW) == (1,)
    first = [record(0, done=True), record(1, done=True)]
    assert missing_parts(STAGED, first, now_ms=NOW) == (2,)
    assert missing_parts(STAGED, [*first, record(2, HELD)], now_ms=NOW) == ()
    assert missing_parts(STAGED, [*first, record(2, done=True)], now_ms=NOW) == (0,)


def test_who_ends_the_first_stage_asks_for_the_second() -> None:
    job = replace(STAGED, parts_at_once=2)
    first = [record(0, done=True), record(1, done=True)]
    assert parts_after(job, 0, [record(0, done=True)]) == ()
    assert parts_after(job, 0, [record(0, done=True), record(1, HELD)]) == ()
    assert parts_after(job, 0, first) == parts_after(job, 1, first) == (2,)
    assert parts_after(job, 1, [*first, record(2, HELD)]) == ()


def test_what_lies_between_two_stages_is_counted_in_neither() -> None:
    done = [record(part, done=True) for part in range(3)]
    read = replace(COUNTS + COUNTS, records_out=0, bytes_out=0)
    assert progress_of(STAGED, done[:2], now_ms=NOW).counts == read
    assert progress_of(STAGED, done, now_ms=NOW).counts == replace(read, records_out=8, bytes_out=80)


def test_nobody_knows_how_long_a_second_stage_takes() -> None:
    job = replace(STAGED, bytes_in=200, opened_at_ms=NOW - 4000)
    assert progress_of(job, [record(0, done=True)], now_ms=NOW).pace == Pace(2.5, 25, None)


def test_a_manifest_tells_the_stages_apart() -> None:
    plan = replace(PLAN, row_steps=2)
    assert parse_plan(plan_text(plan)) == plan
    results = [result(part) for part in range(3)]
    manifest = json.loads(
        manifest_text(completed(STAGED, plan, results, {}, bucket="data", attempts=1, finished_at_ms=NOW))
    )
    rows = ["jobs/usr_ada/j/rows/part-00000-ab.parquet", "jobs/usr_ada/j/rows/part-00001-ab.parquet"]
    assert [part["key"] for part in manifest["first_stage"]] == rows
    assert [part["key"] for part in manifest["parts"]] == ["jobs/usr_ada/j/data/part-00002-ab.csv"]
    assert manifest["result_location"] == "s3://data/jobs/usr_ada/j/data/part-00002-ab.csv"


def test_a_job_may_have_ended_when_somebody_was_at_it_and_nobody_is() -> None:
    assert may_have_ended(JOB, [record(0), record(1, done=True)], now_ms=NOW)
    assert not may_have_ended(JOB, [record(0), record(1, HELD)], now_ms=NOW)
    assert not may_have_ended(JOB, [], now_ms=NOW)


def test_progress_counts_what_is_done() -> None:
    progress = progress_of(JOB, [record(0, done=True), record(1, done=True), record(2, HELD)], now_ms=NOW)
    assert (progress.parts_done, progress.counts, progress.attempts) == (2, COUNTS + COUNTS, 2)


def test_of_a_job_that_has_ended_the_outcome_says_all() -> None:
    outcome = Outcome(JobState.COMPLETED, NOW, COUNTS, attempts=4)
    ended = Job(JOB.key, JOB.request, 0, JobState.COMPLETED, parts=3, outcome=outcome)
    progress = progress_of(ended, (), now_ms=NOW)
    assert (progress.parts_done, progress.counts, progress.attempts) == (3, COUNTS, 4)


def test_a_jobs_pace_is_what_is_done_since_it_was_planned_and_the_rest_takes_as_long() -> None:
    job = replace(JOB, bytes_in=1100, opened_at_ms=NOW - 4000)
    progress = progress_of(job, [record(0, done=True), record(1, done=True), record(2, HELD)], now_ms=NOW)
    assert progress.pace == Pace(records_per_second=5, bytes_per_second=50, seconds_left=18)
    assert progress_of(replace(job, bytes_in=100), [record(0, done=True)], now_ms=NOW).pace.seconds_left == 0


def test_a_pace_is_unknown_until_a_part_is_done() -> None:
    assert progress_of(replace(JOB, opened_at_ms=NOW - 4000), [record(0, HELD)], now_ms=NOW).pace == Pace()
    assert progress_of(JOB, [record(0, done=True)], now_ms=NOW).pace == Pace()  # an older record knows no beginning
    assert progress_of(replace(JOB, opened_at_ms=NOW), [record(0, done=True)], now_ms=NOW).pace == Pace()


def test_of_a_job_that_has_ended_nothing_is_left() -> None:
    outcome = Outcome(JobState.FAILED, NOW, COUNTS)
    failed_job = replace(JOB, state=JobState.FAILED, bytes_in=1100, opened_at_ms=NOW - 4000, outcome=outcome)
    pace = progress_of(failed_job, (), now_ms=NOW + 9999).pace
    assert pace == Pace(records_per_second=2.5, bytes_per_second=25, seconds_left=0)


def test_each_step_of_a_job_is_another_place() -> None:
    steps = [[], [record(0, HELD)], [record(0, done=True)], [record(0, done=True), record(1, done=True)]]
    places = [progress_of(JOB, records, now_ms=NOW).place for records in steps]
    assert places == ["running-0-0", "running-0-2", "running-1-1", "running-2-1"]


def test_attempts_are_those_of_the_piece_that_was_tried_most() -> None:
    assert attempts_of(JOB, [record(0), record(1, HELD)]) == 2
    assert attempts_of(JOB, []) == 0


def test_an_old_job_is_looked_after_less_often() -> None:
    assert next_sweep_ms(NOW, now_ms=NOW + 10, least_ms=30_000) == NOW + 30_010
    assert next_sweep_ms(NOW, now_ms=NOW + 60_000, least_ms=30_000) == NOW + 120_000
    assert next_sweep_ms(0, now_ms=10**9, least_ms=30_000) == 10**9 + 600_000


def test_a_plan_is_read_as_it_was_written() -> None:
    assert parse_plan(plan_text(PLAN)) == PLAN
    assert PLAN.bytes_in == 100
    assert PLAN.inputs_of(1) == (PartInput(PLAN.sources[1], PLAN.encodings[1], Slice(1, 0, 40)),)


def test_columns_keep_their_order_in_a_plan() -> None:
    assert parse_plan(plan_text(PLAN)).schema.names == ("b", "a")


def test_each_slice_is_a_partition_or_small_ones_share_one() -> None:
    slices = whole(PLAN.sources)
    assert one_each(slices) == PLAN.partitions == packed(slices, 99)
    assert packed(slices, 100) == (slices,)
    assert packed([Slice(0, 0, 10), Slice(0, 10, 15), Slice(1, 0, 9), Slice(2, 0, 99)], 100) == (
        (Slice(0, 0, 10),),
        (Slice(0, 10, 15), Slice(1, 0, 9)),
        (Slice(2, 0, 99),),
    )


def test_samples_are_spread_evenly_and_begin_with_the_first() -> None:
    assert spread(range(100), 4) == (0, 25, 50, 75)
    assert spread([3, 5], 4) == (3, 5)
    assert spread([], 4) == ()


def test_a_manifest_tells_how_the_job_ended() -> None:
    manifest = completed(JOB, PLAN, [result(0), result(1)], {}, bucket="data", attempts=2, finished_at_ms=NOW + 7)
    outcome = outcome_of(parse_manifest(manifest_text(manifest)))
    assert outcome == Outcome(
        JobState.COMPLETED, NOW + 7, COUNTS + COUNTS, attempts=2, result_location="s3://data/jobs/usr_ada/j/data/"
    )


def test_a_result_of_one_part_is_named_by_its_object() -> None:
    manifest = completed(JOB, PLAN, [result(0)], {}, bucket="data", attempts=1, finished_at_ms=NOW)
    assert manifest["result_location"] == "s3://data/jobs/usr_ada/j/data/part-00000-ab.csv"


def test_a_failed_jobs_manifest_tells_why() -> None:
    error = error_of(SourceMissing("s3://data/a.csv", "there is no such object"))
    outcome = outcome_of(parse_manifest(manifest_text(failed(JOB, error, attempts=3, finished_at_ms=NOW))))
    assert outcome == Outcome(JobState.FAILED, NOW, attempts=3, error=error)
    assert error.code == "source-missing"
    assert error.details["object"] == "s3://data/a.csv"


def test_only_work_that_was_tried_too_often_is_poison() -> None:
    assert isinstance(verdict_on(tried_too_often("part 3", 5)), Poisoned)
    assert verdict_on(SourceMissing("x", "y")) == Done()


def test_a_job_error_without_places_has_none() -> None:
    assert error_of(tried_too_often("part 3", 5)) == JobError(
        "part-failed", "part 3 was tried 5 times in vain; the workers' logs say more"
    )


def test_an_outage_ends_a_job_only_once_the_job_is_too_old() -> None:
    error = Unavailable("S3 does not answer.")
    assert put_off_or_over(error, JOB, now_ms=NOW, deadline_seconds=5) is error
    over = put_off_or_over(error, JOB, now_ms=NOW + 1, deadline_seconds=5)
    assert over.code == "job-deadline-exceeded"
    assert over.detail == "the job was not done within 5 s; the last that stood in its way: S3 does not answer."
    assert isinstance(verdict_on(over), Poisoned)
