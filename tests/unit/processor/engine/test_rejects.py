"""`on_bad_record`: what can't be read, or computed with, is left out, told of and kept; all else is as without it."""

import base64
import json
from typing import Any

import pytest

from services.processor.domain.pipeline_errors import PipelineError, RecordError
from tests.unit.processor.engine.conftest import Engine, as_bytes

QUARANTINE = {"on_bad_record": "quarantine", "stamp": False}
NINE = '{"a":1,"b":"x"}\n' * 9
LINES: list[tuple[str | bytes, str | None, str]] = [
    ('{"a":"x"}', "a", '"x" is no BIGINT, or would not stay the same as one; correct it'),
    ('{"a":true}', "a", '"true" is no BIGINT'),
    ('{"a":1.5}', "a", '"1.5" is no BIGINT'),
    ('{"a":18446744073709551616}', "a", "is no BIGINT"),
    ('{"b":5}', "b", '"5" is no VARCHAR'),
    ('{"a":2', None, "this can't be read: expecting ',' delimiter"),
    ('{"a":2}{"a":3}', None, "this can't be read: something stands behind the value"),
    ("5", None, "a record is an object, this is a number"),
    ("null", None, "a record is an object, this is null"),
    ('{"a":1,"a":2}', "a", "the key is there twice"),
    ('{"new":1}', "new", "this key is in no record of the sample"),
    ('{"":1}', None, "a key is empty"),
    (b'{"b":"\xff"}', None, "the byte 0xff is no UTF-8"),
    ('{"b":"\\ud800"}', None, "half of a surrogate pair"),
]


def pinned(**more: object) -> dict[str, object]:
    return {**QUARANTINE, "input": {"schema": {"a": "BIGINT", "b": "VARCHAR"}}, **more}


@pytest.mark.parametrize(("line", "column", "reason"), LINES, ids=range(len(LINES)))
def test_a_bad_line_is_left_out_and_kept(engine: Engine, line: str | bytes, column: str | None, reason: str) -> None:
    raw = as_bytes(line)
    sampled = Engine(engine.folder, sample_bytes=100)
    done = sampled.run({"a.ndjson": NINE.encode() + b"\n" + raw + b"\r\n" + NINE.encode()}, pinned())
    assert done.text == NINE * 2
    assert (done.result.records_in, done.result.records_out, done.result.rejected) == (19, 18, 1)
    [reject] = done.rejects
    assert reason in str(reject.pop("reason"))
    kept = reject.pop("raw", None)
    assert base64.b64decode(str(reject.pop("raw_base64"))) == raw if kept is None else kept == raw.decode()
    place = {"object": "a.ndjson", "record": 10, "byte": len(NINE) + 1, "bytes": len(raw) + 1}
    assert reject == (place | {"column": column} if column else place)


def raw_of(reject: dict[str, Any]) -> bytes:
    return base64.b64decode(reject["raw_base64"]) if "raw_base64" in reject else as_bytes(reject["raw"])


def test_many_bad_lines_among_good_ones_change_nothing_else(engine: Engine) -> None:
    good = [f'{{"a":{i},"b":"x"}}' for i in range(3000)]
    lines = [as_bytes(one) for one in good]
    for i, (line, *_) in enumerate(LINES * 10):
        lines.insert(10 + i * 1009 % 2900, as_bytes(line))
    content, config = b"\n".join(lines), pinned(filter_condition="a % 2 = 0")
    done = Engine(engine.folder, sample_bytes=100).run({"a.ndjson": content}, config)
    assert done.content == engine.run({"a.ndjson": "\n".join(good)}, config).content
    assert (done.result.records_in, done.result.rejected) == (3140, 140)
    bad = [(i, line) for i, line in enumerate(lines, 1) if line.decode(errors="replace") not in good]
    assert [(one["record"], raw_of(one)) for one in done.rejects] == bad
    for one in done.rejects:
        assert content[one["byte"] :][: one["bytes"]] == raw_of(one)


def test_it_is_the_same_in_every_run_and_by_any_number_of_threads(engine: Engine) -> None:
    lines = [as_bytes(line) for line, *_ in LINES]
    content = b"\n".join([b'{"a":1,"b":"x"}', *lines, b'{"a":0}'] * 500)
    config = pinned(transformations=[{"derive": {"c": "5 // a"}}])
    runs = [Engine(engine.folder, threads=threads).run({"a.ndjson": content}, config) for threads in (1, 2, 4)]
    assert len({(run.content, run.rejected) for run in runs}) == 1


def test_skipped_records_are_only_counted(engine: Engine) -> None:
    done = engine.run({"a.ndjson": NINE + '{"a":"x"}\n'}, {"on_bad_record": "skip", "stamp": False})
    assert (done.text, done.result.rejected, done.rejected) == (NINE, 1, b"")


def test_where_nothing_is_bad_nothing_is_kept(engine: Engine) -> None:
    done = engine.run({"a.ndjson": NINE}, QUARANTINE)
    assert (done.text, done.result.rejected, done.rejected) == (NINE, 0, b"")


def test_the_first_bad_record_ends_the_run_by_default(engine: Engine) -> None:
    for config in ({}, {"on_bad_record": "fail"}):
        with pytest.raises(RecordError, match="record 10"):
            engine.run({"a.ndjson": NINE + '{"a":"x"}\n'}, config)


def test_a_policy_that_is_none_is_refused(engine: Engine) -> None:
    with pytest.raises(PipelineError) as caught:
        engine.run({"a.ndjson": NINE}, {"on_bad_record": "quarantaine"})
    assert caught.value.detail == 'config.on_bad_record: unknown policy "quarantaine"; did you mean "quarantine"?'


def test_the_type_of_a_column_is_that_of_most_of_its_values(engine: Engine) -> None:
    done = engine.run({"a.ndjson": '{"a":"n/a"}\n{"a":1}\nnonsense\n{"a":2}\n'}, QUARANTINE)
    assert done.text == '{"a":1}\n{"a":2}\n'
    assert [one["raw"] for one in done.rejects] == ['{"a":"n/a"}', "nonsense"]


@pytest.mark.parametrize("name", ["a.ndjson", "a.csv", "a.json"])
def test_all_may_be_bad(engine: Engine, name: str) -> None:
    content = {"a.ndjson": "x\ny\n", "a.csv": "a,b\n1\n2\n", "a.json": "[1,2]"}[name]
    done = engine.run({name: content}, QUARANTINE)
    assert done.text == {"a.ndjson": "", "a.csv": "a,b\n", "a.json": "[]\n"}[name]
    assert (done.result.records_in, done.result.records_out, done.result.rejected) == (2, 0, 2)


ROWS: list[tuple[str | bytes, str | None, str]] = [
    ("3", None, "it has 1 fields, the header names 2"),
    ("1,2,3", None, "it has 3 fields, the header names 2"),
    ('1,"2" 3', None, "text stands behind a closing quote"),
    (b"1,\xff", None, "the byte 0xff is no UTF-8"),
    ('"x\ny",2,3', None, "it has 3 fields"),
    ("z,1", "a", '"z" is no BIGINT'),
    ("007,1", "a", '"007" is no BIGINT'),
]


@pytest.mark.parametrize(("row", "column", "reason"), ROWS, ids=range(len(ROWS)))
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_bad_row_is_left_out_and_kept(
    engine: Engine, row: str | bytes, column: str | None, reason: str, end: str
) -> None:
    good, raw = f'1,"x\n""y"""{end}', as_bytes(row)
    header = f"a,b{end}"
    content = (header + good * 9).encode() + raw + (end + good).encode()
    done = engine.run({"a.csv": content}, pinned())
    assert done.text.replace("\r", "") == "a,b\n" + good.replace("\r", "") * 10
    [reject] = done.rejects
    assert reason in str(reject["reason"])
    assert (reject["record"], reject.get("column"), reject["byte"]) == (10, column, len(header + good * 9))
    assert as_bytes(str(reject["raw"])) == raw if "raw" in reject else reject["raw_base64"] == "MSz/"


def test_a_quote_that_is_never_closed_leaves_no_rows_to_tell_apart(engine: Engine) -> None:
    with pytest.raises(RecordError, match=r"^a\.csv, record 2: this is no CSV: a quote is not closed"):
        engine.run({"a.csv": 'a,b\n1,x\n2,"y\n3,z\n'}, QUARANTINE)


def test_elements_of_an_array_are_left_out(engine: Engine) -> None:
    elements = ['{"a":1,"b":"ü"}', "7", '{"a":"x","b":"\U0001f600"}', '{ "a": 2 }', '{"a":3,"a":4}', '{"zz":1}']
    content = "\ufeff [\n " + " ,\n".join(elements) + "]\n"
    done = Engine(engine.folder, sample_bytes=20).run({"a.json": content}, pinned(filter_condition="a > 0"))
    assert json.loads(done.text) == [{"a": 1, "b": "ü"}, {"a": 2, "b": None}]
    assert [(one["record"], one["raw"]) for one in done.rejects] == [(i, elements[i - 1]) for i in (2, 3, 5, 6)]
    for one in done.rejects:
        assert content.encode()[one["byte"] :][: one["bytes"]].decode() == one["raw"]


@pytest.mark.parametrize(
    "content", ['[{"a":1},{"a":2}', '[{"a":1} {"a":2}]', '[{"a":1},{"a":]', b'[{"a":1},{"b":"\xff"}]']
)
def test_an_array_that_is_broken_fails(engine: Engine, content: str | bytes) -> None:
    with pytest.raises(RecordError, match=r"^a\.json, record [23]: this can't be read"):
        engine.run({"a.json": content}, QUARANTINE)


FIRST = "config.transformations[0]"
COMPUTED = [
    ({"derive": {"b": "5 // a"}}, "b", f"{FIRST}.derive.b: Division by zero"),
    ({"derive": {"b": "5 / a"}}, "b", "inf is no number in JSON; test for it with isfinite(x)"),
    ({"cast": {"t": "BIGINT"}}, "t", f"{FIRST}.cast.t: 4.7 has a fraction; ROUND it first"),
    ({"cast": {"d": "DATE"}}, "d", f'{FIRST}.cast.d: "x" is no date; write YYYY-MM-DD'),
    ({"filter": "CAST(d AS DATE) > DATE '2026-01-01'"}, None, f'{FIRST}.filter: "x" is no date; write YYYY-MM-DD'),
]


@pytest.mark.parametrize(("step", "column", "reason"), COMPUTED, ids=lambda value: str(value)[:30])
def test_a_record_that_cant_be_computed_with_is_left_out(
    engine: Engine, step: dict[str, object], column: str | None, reason: str
) -> None:
    good, bad = '{"a":1,"t":"3","d":"2026-11-23"}\n', '{"a":0,"t":"4.7","d":"x"}\n'
    config = QUARANTINE | {"transformations": [step]}
    done = engine.run({"a.ndjson": good * 50 + bad + good, "b.ndjson": "nonsense\n" + bad + good}, config)
    assert done.content == engine.run({"a.ndjson": good * 52}, config).content
    assert [(one["object"], one["record"]) for one in done.rejects] == [
        ("a.ndjson", 51), ("b.ndjson", 1), ("b.ndjson", 2),
    ]  # fmt: skip
    assert [done.rejects[i]["reason"] for i in (0, 2)] == [reason] * 2
    assert (done.rejects[2].get("column"), done.rejects[2]["raw"]) == (column, bad.strip())


def test_each_expression_takes_its_own_out(engine: Engine) -> None:
    content = "".join(f'{{"a":{i % 3},"b":{i % 5}}}\n' for i in range(30))
    steps = [{"derive": {"c": "10 // a"}}, {"filter": "10 // b > 2"}, {"limit": 5}]
    done = engine.run({"a.ndjson": content}, QUARANTINE | {"transformations": steps})
    assert done.result.rejected == 14
    assert [one["record"] - 1 for one in done.rejects] == [i for i in range(30) if not (i % 3 and i % 5)]
    assert len(done.text.splitlines()) == 5


def test_a_record_that_fails_for_one_of_many_that_it_is_joined_with_is_out(engine: Engine) -> None:
    steps = [{"join": {"source": "s3://other", "on": ["a"]}}, {"derive": {"c": "6 // n"}}]
    config = QUARANTINE | {"transformations": steps}
    done = engine.run({"a.ndjson": '{"a":1}\n{"a":2}\n'}, config, joined=[{"other.csv": "a,n\n1,0\n1,2\n2,3\n"}])
    assert done.text == '{"a":2,"n":3,"c":2}\n'
    assert [one["record"] for one in done.rejects] == [1]


def test_what_a_join_reads_has_to_be_right(engine: Engine) -> None:
    config = QUARANTINE | {"transformations": [{"join": {"source": "s3://other", "on": ["a"]}}]}
    with pytest.raises(RecordError, match=r"^other\.csv, record 2"):
        engine.run({"a.ndjson": '{"a":1}\n'}, config, joined=[{"other.csv": "a,n\n1,0\n1\n"}])


def test_behind_a_step_that_needs_all_records_a_failure_is_the_jobs(engine: Engine) -> None:
    steps = [{"sort": ["a"]}, {"derive": {"c": "6 // a"}}]
    with pytest.raises(RecordError, match=r'^a\.ndjson, record 3, column "c": config\.transformations\[1\]'):
        engine.run({"a.ndjson": '{"a":1}\nnonsense\n{"a":0}\n'}, QUARANTINE | {"transformations": steps})


def test_what_fails_for_any_record_is_still_the_pipelines_fault(engine: Engine) -> None:
    with pytest.raises(PipelineError):
        engine.run({"a.ndjson": NINE}, QUARANTINE | {"transformations": [{"derive": {"b": "b OR 'x'"}}]})


def test_records_of_parquet_are_left_out_too(engine: Engine) -> None:
    table = engine.run(
        {"a.ndjson": '{"a":1,"b":"x"}\n{"a":0,"b":"ü"}\n{"a":2,"b":null}\n'},
        {"output": {"format": "parquet"}, "stamp": False},
    ).content
    config = QUARANTINE | {"filter_condition": "6 // a > 0", "output": {"format": "ndjson"}}
    done = engine.run({"a.parquet": table}, config)
    assert done.text == '{"a":1,"b":"x"}\n{"a":2,"b":null}\n'
    assert done.rejects == [
        {"object": "a.parquet", "record": 2, "reason": "config.filter_condition: Division by zero",
         "raw": '{"a":0,"b":"ü"}'},
    ]  # fmt: skip


def test_more_than_are_told_at_once(engine: Engine) -> None:
    content = "".join(f'{{"a":{i % 2}}}\n' for i in range(5_000)) + "x\n" * 12_000
    done = engine.run({"a.ndjson": content}, QUARANTINE | {"transformations": [{"derive": {"c": "6 // a"}}]})
    assert (done.result.records_out, done.result.rejected, len(done.rejects)) == (2_500, 14_500, 14_500)
    reasons = [one["reason"] for one in done.rejects[:2_500]]
    assert reasons[:1000] == [f"{FIRST}.derive.c: Division by zero"] * 1000
    assert set(reasons[1000:]) == {f"{FIRST}.derive.c: the value can't be computed"}


def test_a_line_that_is_larger_than_any_record_may_be(engine: Engine) -> None:
    long = b'{"a":"' + b"x" * (17 << 20) + b'"}\n'
    done = engine.run({"a.ndjson": NINE.encode() + long + NINE.encode()}, QUARANTINE)
    assert done.text == NINE * 2
    [reject] = done.rejects
    assert (reject["bytes"], reject["byte"]) == (len(long) - 1, len(NINE))
    assert long.startswith(as_bytes(str(reject["raw"])))
