"""Ids, owners and file names as parts of keys; requests and their fingerprints."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.processor.domain.fingerprint import canonical_json
from services.processor.domain.job_names import LISTING_KEY, JobKey, JobRequest, owner_segment, parse_processing_id
from services.processor.domain.messages import UnknownMessage, WorkMessage, parse_message
from services.processor.domain.preferences import Preference, parse_prefer
from services.processor.domain.submissions import SourceAccess, Submission, chosen_id
from services.processor.domain.uploads import parse_filename
from shared.cursors import cursor_of, parse_cursor
from shared.errors import ValidationFailed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", fullmatch=True).filter(lambda text: ".." not in text)


@given(IDS)
def test_a_good_id_stays_as_it_is(raw_id: str) -> None:
    assert parse_processing_id(raw_id, "/processing_id") == raw_id


@pytest.mark.parametrize("raw_id", ["", "../x", "a..b", "a/b", "a" * 129, "a\n", "é", "-a", "_a", "a#b", "a b"])
def test_a_bad_id_is_refused_by_its_place(raw_id: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        parse_processing_id(raw_id, "/processing_id")
    assert caught.value.errors[0].pointer == "/processing_id"


@given(st.text(min_size=1), st.text(min_size=1))
def test_owners_never_share_a_folder(one: str, other: str) -> None:
    segments = {owner_segment(one), owner_segment(other)}
    assert len(segments) == len({one, other})
    assert not any("/" in segment or segment in {".", ".."} for segment in segments)


def test_an_ordinary_owner_is_a_folder_under_its_own_name() -> None:
    assert JobKey("usr_ada", "orders-1").folder == "jobs/usr_ada/orders-1/"


@given(JSON)
def test_the_order_of_members_does_not_change_a_fingerprint(config: object) -> None:
    again = json.loads(json.dumps({"config": config, "data_source": "test"}))
    one = JobRequest("test", {"x": config})
    other = JobRequest(again["data_source"], {"x": again["config"]})
    assert one.fingerprint == other.fingerprint
    assert canonical_json(json.loads(one.text)) == one.text


def test_another_request_has_another_fingerprint() -> None:
    assert JobRequest("a", {}).fingerprint != JobRequest("b", {}).fingerprint
    assert JobRequest("a", {}).fingerprint != JobRequest("a", {"stamp": False}).fingerprint


@given(st.text(min_size=1), IDS, st.none() | st.integers(0, 99_999), st.text())
def test_a_message_is_read_as_it_was_written(owner: str, name: str, part: int | None, traceparent: str) -> None:
    message = WorkMessage(JobKey(owner, name), part, traceparent)
    assert parse_message(message.body) == message


@pytest.mark.parametrize(
    "raw_body",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"v":2,"kind":"plan","owner":"a","processing_id":"b"}',
        '{"v":1,"kind":"sing","owner":"a","processing_id":"b"}',
        '{"v":1,"kind":"part","owner":"a","processing_id":"b"}',
        '{"v":1,"kind":"plan","owner":"a","processing_id":"../b"}',
        "[" * 100_000,
    ],
)
def test_a_message_of_others_is_not_understood(raw_body: str) -> None:
    with pytest.raises(UnknownMessage):
        parse_message(raw_body)


@given(st.integers(0, 9_999_999_999_999), IDS)
def test_a_cursor_is_read_as_it_was_written(milliseconds: int, name: str) -> None:
    listing_key = f"{milliseconds:013d}#{name}"
    assert parse_cursor(cursor_of(listing_key), LISTING_KEY) == listing_key


@given(st.text())
def test_any_other_cursor_is_refused(raw_cursor: str) -> None:
    with pytest.raises(ValidationFailed):
        parse_cursor(raw_cursor + "!", LISTING_KEY)


@pytest.mark.parametrize(
    ("values", "preference"),
    [
        ([], Preference(5, None)),
        (["respond-async"], Preference(0, "respond-async")),
        (["Respond-Async"], Preference(0, "respond-async")),
        (["wait=10"], Preference(10, "wait=10")),
        (["wait = 10"], Preference(10, "wait=10")),
        (['wait="7"; foo'], Preference(7, "wait=7")),
        (["respond-async, wait=3"], Preference(3, "wait=3")),
        (["respond-async", "wait=3"], Preference(3, "wait=3")),
        (["wait=3, wait=9"], Preference(3, "wait=3")),
        (["wait=1000"], Preference(60, "wait=60")),
        (["wait=0"], Preference(0, "wait=0")),
        (["wait=-1", "wait=x", "handling=lenient"], Preference(5, None)),
    ],
)
def test_preferences_are_read_as_the_rfc_says(values: list[str], preference: Preference) -> None:
    assert parse_prefer(values, default_seconds=5, most_seconds=60) == preference


def named(in_body: str | None, in_header: str | None) -> Submission:
    return Submission(in_body, in_header, None, None, None)


@pytest.mark.parametrize(
    ("in_body", "in_header", "chosen"), [(None, None, None), ("a", None, "a"), (None, "b", "b"), ("a", "a", "a")]
)
def test_one_name_is_chosen(in_body: str | None, in_header: str | None, chosen: str | None) -> None:
    assert chosen_id(named(in_body, in_header)) == chosen


def test_two_names_are_refused() -> None:
    with pytest.raises(ValidationFailed, match="Idempotency-Key"):
        chosen_id(named("a", "b"))


@pytest.mark.parametrize(
    ("in_body", "in_header", "pointer"), [("..", None, "/processing_id"), (None, "..", "Idempotency-Key")]
)
def test_a_bad_name_is_refused_where_it_stands(in_body: str | None, in_header: str | None, pointer: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        chosen_id(named(in_body, in_header))
    assert [error.pointer for error in refusal.value.errors] == [pointer]


@pytest.mark.parametrize("name", ["a.csv", "Orders (1).ndjson.gz", "2026-11-23=x.json"])
def test_a_good_file_name_stays_as_it_is(name: str) -> None:
    assert parse_filename(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\n", "a..b", ".a", "a.", "a ", "a" * 201, "ä"])
def test_a_bad_file_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationFailed):
        parse_filename(name)


def test_a_caller_reads_below_their_own_prefixes_and_the_shared_ones() -> None:
    rules = SourceAccess("data", ("s3://ref/public/",)).rules_for("a/b")
    assert rules.allowed_prefixes == ("s3://data/inputs/a%2Fb/", "s3://data/jobs/a%2Fb/", "s3://ref/public/")
