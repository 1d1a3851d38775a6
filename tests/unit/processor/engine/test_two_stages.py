"""Two stages give what one gives: rows between them keep each value, their order, and where they come from."""

import json
from collections.abc import Callable

import pytest

from services.processor.domain.pipeline_errors import PipelineError, RecordError
from tests.unit.processor.engine.conftest import MIB, Engine

NewEngine = Callable[..., Engine]
VALUES = {
    "BOOLEAN": ["true", "false"],
    "BIGINT": ["-9223372036854775808", "9223372036854775807"],
    "UBIGINT": ["18446744073709551615", "0"],
    "HUGEINT": ["170141183460469231731687303715884105727", "-1"],
    "DOUBLE": ["-0.0", "0.1", "1e308", "5e-324", "inf", "nan"],
    "DECIMAL(38,2)": ["-999999999999999999999999999999999999.99", "0.10"],
    "VARCHAR": ["", "é\U0001f600", "a\tb"],
    "DATE": ["0001-01-01", "9999-12-31"],
    "TIME": ["23:59:59.999999"],
    "TIMESTAMP": ["0001-01-01 00:00:00", "2026-11-23 01:02:03.123456"],
    "TIMESTAMPTZ": ["2026-11-23 01:02:03.123456+05:30"],
}


@pytest.mark.parametrize("column_type", VALUES)
def test_a_value_is_kept_as_it_is(engine: Engine, column_type: str) -> None:
    content = "".join(f'{{"id":{i},"x":{json.dumps(value)}}}\n' for i, value in enumerate([*VALUES[column_type], None]))
    derived = {"x": f"CAST(x AS {column_type})"}
    steps = [{"derive": {**derived, "list": f"[CAST(x AS {column_type}), NULL]"}}, {"sort": ["-id"]}]
    config = {"transformations": steps, "input": {"schema": {"x": "VARCHAR"}}, "output": {"format": "csv"}}
    objects = {"a.ndjson": content, "b.ndjson": content}
    assert engine.run(objects, config, staged=True).content == engine.run(objects, config).content


def test_json_is_kept_to_the_letter(engine: Engine) -> None:
    objects = {f"{i}.ndjson": f'{{"i":{i},"x":{{"b": 1.0,  "a": [1e400, "\\u00e9"]}},"y":[]}}\n' for i in range(2)}
    config = {"transformations": [{"sort": ["-i"]}], "stamp": False}
    assert engine.run(objects, config, staged=True).content == engine.run(objects, config).content


LINES = [f'{{"k":{i * 7 % 10},"v":{i / 8},"id":{i}}}\n' for i in range(300)]
OBJECTS = {f"{i}.ndjson": "".join(LINES[i * 100 : i * 100 + 100]) for i in range(3)}
KEYS = {"ref.csv": "key,name\n1,one\n2,two\n2,zwei\n3,three\n"}
JOIN = [{"rename": {"k": "key"}}, {"join": {"source": "s3://data/ref.csv", "on": ["key"], "how": "inner"}}]
PIPELINES = {
    "limit alone": [{"limit": 250}],
    "none": [{"limit": 0}],
    "first of a sort": [{"filter": "id > 5"}, {"sort": ["k"]}, {"limit": 30}],
    "ties keep their order": [{"sort": ["-k"]}, {"derive": {"w": "v * 2"}}, {"limit": 42}],
    "one of each": [{"deduplicate": {"by": ["k"], "order_by": ["-v"]}}],
    "the last of each": [{"deduplicate": {"by": ["k"], "keep": "last"}}, {"limit": 4}],
    "groups": [{"aggregate": {"by": ["k"], "measures": {"s": "SUM(v / 3)", "a": "AVG(v)", "m": "MEDIAN(v)"}}}],
    "order within groups": [
        {"aggregate": {"by": ["k"], "measures": {"f": "FIRST(v)", "l": "LAST(id)"}}},
        {"sort": ["-l"]},
    ],
    "totals": [{"filter": "id < 0"}, {"aggregate": {"measures": {"n": "COUNT(*)"}}}],
    "nothing is left": [{"filter": "id < 0"}, {"sort": ["k"]}],
    "joined before": [*JOIN, {"sort": ["-v"]}, {"limit": 7}],
    "joined behind": [{"sort": ["v"]}, *JOIN, {"deduplicate": {"by": ["name"]}}],
    "joined before, in order": [
        *JOIN,
        {"aggregate": {"by": ["key"], "measures": {"f": "FIRST(name)", "l": "LAST(name)"}}},
    ],
}


@pytest.mark.parametrize("output", ["ndjson", "parquet"])
@pytest.mark.parametrize("name", PIPELINES)
def test_two_stages_give_the_bytes_of_one(engine: Engine, name: str, output: str) -> None:
    config = {"transformations": PIPELINES[name], "output": {"format": output}}
    joined = [KEYS] if "join" in str(PIPELINES[name]) else []
    one = engine.run(OBJECTS, config, joined=joined)
    two = engine.run(OBJECTS, config, joined=joined, staged=True)
    assert two.content == one.content
    assert two.result.records_out == one.result.records_out


def test_a_part_keeps_no_more_than_a_limit_needs(engine: Engine) -> None:
    done = engine.run(OBJECTS, {"transformations": [{"sort": ["-v"]}, {"limit": 2}]}, staged=True)
    assert done.result.records_in == 6


FAILING = [
    ([{"derive": {"w": "CAST(t AS BIGINT)"}}, {"sort": ["w"]}], "b.ndjson, record 2"),
    ([{"sort": ["t"]}, {"derive": {"w": "CAST(t AS BIGINT)"}}], "b.ndjson, record 2"),
    ([{"filter": "i <> 3"}, {"sort": ["-i"]}, {"filter": "CAST(t AS BIGINT) > 0"}], "b.ndjson, record 2"),
    ([{"aggregate": {"measures": {"n": "SUM(CAST(t AS BIGINT))"}}}], "b.ndjson, record 2"),
]


@pytest.mark.parametrize(("steps", "where"), FAILING, ids=range(len(FAILING)))
def test_a_value_that_fails_is_named_by_its_record_in_either_stage(
    engine: Engine, steps: list[object], where: str
) -> None:
    objects = {"a.ndjson": '{"i":1,"t":"1"}\n', "b.ndjson": '{"i":3,"t":"3"}\n{"i":4,"t":"four"}\n'}
    config = {"transformations": steps, "stamp": False}
    details = []
    for staged in (False, True):
        with pytest.raises(RecordError) as caught:
            engine.run(objects, config, staged=staged)
        details.append(caught.value.detail)
    assert details[0] == details[1]
    assert details[0].startswith(where)


@pytest.mark.parametrize("rows", [[], [{"filter": "i <> 5"}], [{"deduplicate": {"by": ["i"]}}]], ids=range(3))
def test_a_failing_record_has_its_number_although_others_before_it_were_left_out(
    engine: Engine, rows: list[object]
) -> None:
    lines = [
        '{"i":1,"t":"1"}',
        "bad",
        '{"i":"x","t":"2"}',
        '{"i":4,"t":"4"}',
        "{",
        '{"i":6,"t":"six"}',
        '{"i":7,"t":"7"}',
    ]
    objects = {"a.ndjson": '{"i":0,"t":"0"}\nbad\n', "b.ndjson": "\n".join(lines)}
    steps = [*rows, {"sort": ["-i"]}, {"derive": {"w": "CAST(t AS BIGINT)"}}]
    config = {
        "transformations": steps,
        "input": {"schema": {"i": "BIGINT", "t": "VARCHAR"}},
        "on_bad_record": "skip",
        "stamp": False,
    }
    for staged in (False, True):
        with pytest.raises(RecordError, match=r'^b\.ndjson, record 6, column "w": .* "six" is no BIGINT$'):
            engine.run(objects, config, staged=staged)


def test_a_sum_that_grows_too_large_names_its_measure_in_the_second_stage(engine: Engine) -> None:
    steps = [{"aggregate": {"measures": {"big": "SUM(CAST(1e38 AS HUGEINT))"}}}]
    with pytest.raises(PipelineError, match=r"^config\.transformations\[0\]\.aggregate\.measures\.big: Overflow"):
        engine.run(OBJECTS, {"transformations": steps}, staged=True)


def _wide_rows(part: int) -> str:
    return "".join(f"{i},{i / 8},{'x' * 2000}{i}\n" for i in range(part, 84_000, 12))


def _many_rows(part: int) -> str:
    return "".join(f"{i},{i % 1_000_003 / 8},x\n" for i in range(part, 1_500_000, 12))


def test_a_sort_of_more_than_the_memory_goes_to_the_disk(new_engine: NewEngine) -> None:
    objects = {f"{part}.csv": "i,v,t\n" + _wide_rows(part) for part in range(12)}
    config = {"transformations": [{"sort": ["-v"]}, {"select": ["i"]}], "stamp": False}
    done = new_engine(memory_bytes=64 * MIB, sample_bytes=10_000).run(objects, config, staged=True)
    assert [int(line) for line in done.text.splitlines()[1:]] == list(range(83_999, -1, -1))


def test_groups_that_are_more_than_the_memory_go_to_the_disk(new_engine: NewEngine) -> None:
    objects = {f"{part}.csv": "i,v,t\n" + _many_rows(part) for part in range(12)}
    steps = [{"aggregate": {"by": ["v", "t"], "measures": {"i": "LAST(i)", "n": "COUNT(*)", "s": "SUM(i)"}}}]
    config = {"transformations": steps, "stamp": False}
    done = new_engine(memory_bytes=64 * MIB, sample_bytes=10_000).run(objects, config, staged=True)
    assert done.result.records_out == 1_000_003
    assert done.text.splitlines()[1:3] == ["0.0,x,1000003,2,1000003", "0.125,x,1000004,2,1000005"]
