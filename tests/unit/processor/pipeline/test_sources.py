"""Where records may come from."""

import json

import pytest

from services.processor.domain.pipeline_errors import PipelineError
from services.processor.domain.sources import ObjectSource, PrefixSource, SampleSource, SourceRules, parse_source

MINE = "s3://data/inputs/me/"
RULES = SourceRules((MINE,))
REMEDY = f'put the object there with POST /api/uploads and name it below "{MINE}"'


@pytest.mark.parametrize(
    ("raw", "sources"),
    [
        (MINE + "a.json", [ObjectSource("data", "inputs/me/a.json")]),
        (MINE + "2026/a b+ü.csv", [ObjectSource("data", "inputs/me/2026/a b+ü.csv")]),
        (MINE, [PrefixSource("data", "inputs/me/")]),
        (MINE + "2026/", [PrefixSource("data", "inputs/me/2026/")]),
        (MINE + "*.csv", [PrefixSource("data", "inputs/me/", "inputs/me/*.csv")]),
        (MINE + "a/b?/**/x*", [PrefixSource("data", "inputs/me/a/b", "inputs/me/a/b?/**/x*")]),
        ([MINE + "b", MINE + "a"], [ObjectSource("data", "inputs/me/b"), ObjectSource("data", "inputs/me/a")]),
    ],
)
def test_a_source_is_an_object_a_prefix_a_glob_or_a_list(raw: object, sources: list[object]) -> None:
    assert list(parse_source(raw, RULES)) == sources


@pytest.mark.parametrize(
    ("glob", "key", "matches"),
    [
        ("*", "a", True), ("*", "a/b", False), ("*.csv", "a.csv", True), ("*.csv", "a.csv.gz", False),
        ("a?c", "abc", True), ("a?c", "a/c", False), ("**", "a", True), ("**", "a/b/c", True), ("**/x", "x", True),
        ("**/x", "a/b/x", True), ("**/x", "a/xx", False), ("a/**/b", "a/b", True), ("a/**/b", "a/1/2/b", True),
        ("a/*/b", "a/b", False), ("*", "a/", False), ("[ab]*", "[ab]c", True), ("[ab]*", "ac", False),
        ("*a*a*a*a*a*a*a*a*b", "a" * 1000, False), ("**/" * 40 + "x", "a/" * 400 + "y", False),
    ],
)  # fmt: skip
def test_a_glob_matches(glob: str, key: str, matches: bool) -> None:
    [source] = parse_source(MINE + glob, RULES)
    assert isinstance(source, PrefixSource)
    assert source.matches("inputs/me/" + key) is matches


def test_a_prefix_matches_what_is_below_it() -> None:
    [source] = parse_source(MINE + "a/", RULES)
    assert isinstance(source, PrefixSource)
    assert [source.matches(f"inputs/me/{key}") for key in ("a/x", "a/b/x", "a/", "b/x")] == [True, True, False, False]


OUTSIDE = "is not among the places that you may read; " + REMEDY
WRONG = [
    (5, "/data_source", f'a source is text such as "{MINE}orders.ndjson" (or a list of such texts)'),
    (None, "/data_source", f'a source is text such as "{MINE}orders.ndjson" (or a list of such texts)'),
    ("", "/data_source", f'"" is no S3 URL; {REMEDY}'),
    ("test", "/data_source", f'"test" is no S3 URL; {REMEDY}'),
    ("https://example.com/x", "/data_source", f'"https://example.com/x" is no S3 URL; {REMEDY}'),
    ("file:///etc/passwd", "/data_source", f'"file:///etc/passwd" is no S3 URL; {REMEDY}'),
    ("s3://DATA/x", "/data_source", f'"s3://DATA/x" is no S3 URL; {REMEDY}'),
    ("s3://data", "/data_source", f'"s3://data" is no S3 URL; {REMEDY}'),
    ("s3://data/", "/data_source", f"the URL names a bucket but no object; {REMEDY}"),
    ("s3://other/inputs/me/x", "/data_source", f'"s3://other/inputs/me/x" {OUTSIDE}'),
    ("s3://data/inputs/you/x", "/data_source", f'"s3://data/inputs/you/x" {OUTSIDE}'),
    ("s3://data/inputs/me", "/data_source", f'"s3://data/inputs/me" {OUTSIDE}'),
    ("s3://data/inputs/me2/x", "/data_source", f'"s3://data/inputs/me2/x" {OUTSIDE}'),
    ("s3://data/inputs/*/x", "/data_source", f'"s3://data/inputs/*/x" {OUTSIDE}'),
    ("s3://data/inputs/m*/x", "/data_source", f'"s3://data/inputs/m*/x" {OUTSIDE}'),
    ("s3://data/**", "/data_source", f'"s3://data/**" {OUTSIDE}'),
    (MINE + "../you/x", "/data_source", 'a key holds no ".", ".." or empty part; write it out'),
    (MINE + "./x", "/data_source", 'a key holds no ".", ".." or empty part; write it out'),
    (MINE + "a//x", "/data_source", 'a key holds no ".", ".." or empty part; write it out'),
    (MINE + "a\0", "/data_source", "the URL holds a control character or a broken one; leave it out"),
    (MINE + "a\n", "/data_source", "the URL holds a control character or a broken one; leave it out"),
    (MINE + "\ud800", "/data_source", "the URL holds a control character or a broken one; leave it out"),
    (MINE + "ü" * 510, "/data_source", "a key has at most 1024 bytes"),
    (MINE + "a" * 3000, "/data_source", "a key has at most 1024 bytes"),
    (MINE + "a**b", "/data_source", '"**" stands for whole folders, between slashes; within a name write "*"'),
    (MINE + "a?versionId=1", "/data_source", "an S3 URL has no query; name the bucket and the key alone"),
    ([], "/data_source", "a list names 1 to 1000 sources"),
    ([MINE + "a"] * 1001, "/data_source", "a list names 1 to 1000 sources"),
    ([MINE + "a", 5], "/data_source/1", f'a source is text such as "{MINE}orders.ndjson" (or a list of such texts)'),
    ([MINE + "a", MINE + "b", MINE + "a"], "/data_source/2", "this source is listed twice; name each once"),
]


@pytest.mark.parametrize(("raw", "pointer", "reason"), WRONG, ids=range(len(WRONG)))
def test_any_other_source_is_refused(raw: object, pointer: str, reason: str) -> None:
    with pytest.raises(PipelineError) as caught:
        parse_source(raw, RULES)
    assert caught.value.errors[0].pointer == pointer
    assert caught.value.message == reason


def test_the_sample_is_there_where_it_is_allowed() -> None:
    [source] = parse_source("test", SourceRules((MINE,), sample_allowed=True))
    assert isinstance(source, SampleSource)
    records = json.loads(source.content())
    assert len(records) == 100
    assert records[99] == {"id": 99, "value": "data_99"}
    with pytest.raises(PipelineError, match=r'or say "test" for a hundred made-up records$'):
        parse_source("tset", SourceRules((MINE,), sample_allowed=True))
