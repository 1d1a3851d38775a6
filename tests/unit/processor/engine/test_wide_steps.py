"""Steps whose result depends on all records: against exact bytes, and against the same in plain Python."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.processor.domain.pipeline import parse_config
from services.processor.domain.pipeline_errors import PipelineError, RecordError
from tests.unit.processor.engine.conftest import MIB, Engine
from tests.unit.processor.engine.plain_steps import Record, Step, after

NewEngine = Callable[..., Engine]
VISITS = """\
{"id":1,"who":"ann","at":3,"x":2.5}
{"id":2,"who":"bob","at":1,"x":null}
{"id":3,"who":"ann","at":4,"x":-0.0}
{"id":4,"who":null,"at":null,"x":0.0}
{"id":5,"who":"ann","at":3,"x":1.25}
{"id":6,"who":null,"at":2,"x":7.0}
"""
BY_WHO = {"by": ["who"]}

KEPT = [
    (BY_WHO, [1, 2, 4]),
    ({**BY_WHO, "keep": "last"}, [2, 5, 6]),
    ({**BY_WHO, "order_by": ["at"]}, [1, 2, 6]),
    ({**BY_WHO, "order_by": ["-at"]}, [2, 3, 6]),
    ({**BY_WHO, "keep": "last", "order_by": ["at"]}, [2, 3, 4]),
    ({**BY_WHO, "keep": "last", "order_by": ["-at"]}, [2, 4, 5]),
    ({"by": ["who", "at"], "keep": "first"}, [1, 2, 3, 4, 6]),
    ({"by": ["x"]}, [1, 2, 3, 5, 6]),
]


@pytest.mark.parametrize(("arguments", "expected"), KEPT, ids=range(len(KEPT)))
def test_one_of_equal_records_is_kept_and_stays_where_it_was(
    engine: Engine, arguments: object, expected: list[int]
) -> None:
    steps = [{"deduplicate": arguments}]
    done = engine.run({"a.ndjson": VISITS}, {"transformations": steps, "stamp": False})
    lines = VISITS.splitlines(keepends=True)
    assert done.text == "".join(lines[number - 1] for number in expected)


def test_groups_come_in_the_order_of_their_keys(engine: Engine) -> None:
    calls = ["COUNT(x)", "SUM(x)", "AVG(x)", "MIN(x)", "MAX(x)", "MEDIAN(x)", "FIRST(at)", "LAST(at)", "SUM(id*2)"]
    calls += ["COUNT(*)", "COUNT_IF(id > 1)"]
    measures = {
        str(i): call for i, call in enumerate([*calls, "COUNT(DISTINCT x)", "BOOL_AND(x > 1)", "bool_or(x > 1)"])
    }
    steps = [{"aggregate": {"by": ["who"], "measures": measures}}]
    done = engine.run({"a.ndjson": VISITS}, {"transformations": steps, "stamp": False, "output": {"format": "csv"}})
    assert done.text == (
        "who,0,1,2,3,4,5,6,7,8,9,10,11,12,13\n"
        "ann,3,3.75,1.25,0.0,2.5,1.25,3,3,18,3,2,3,false,true\n"
        "bob,0,,,,,,1,1,4,1,1,0,,\n"
        ",2,7.0,3.5,0.0,7.0,3.5,,2,20,2,2,2,false,true\n"
    )


def test_equal_numbers_are_one_group_however_they_are_written(engine: Engine) -> None:
    steps = [{"filter": "x < 1"}, {"aggregate": {"by": ["x"], "measures": {"n": "COUNT(*)", "d": "COUNT(DISTINCT x)"}}}]
    done = engine.run({"a.ndjson": VISITS}, {"transformations": steps, "stamp": False})
    assert done.text == '{"x":0.0,"n":2,"d":1}\n'


@pytest.mark.parametrize("content", ["", VISITS], ids=["nothing comes in", "nothing is left"])
def test_totals_are_one_record_even_of_nothing(engine: Engine, content: str) -> None:
    config = {
        "filter_condition": "id > 6",
        "transformations": [{"aggregate": {"measures": {"n": "COUNT(*)", "sum": "SUM(x)", "ids": "SUM(id)"}}}],
        "input": {"schema": {"id": "BIGINT", "x": "DOUBLE"}},
        "stamp": False,
    }
    assert engine.run({"a.ndjson": content}, config).text == '{"n":0,"sum":null,"ids":null}\n'
    config["transformations"] = [{"aggregate": {"by": ["id"], "measures": {"n": "COUNT(*)"}}}]
    assert engine.run({"a.ndjson": content}, config).text == ""


def test_names_of_ours_may_be_names_of_theirs(engine: Engine) -> None:
    """Inner queries have columns, too."""
    content = '{"k0":1,"a0":2.5,"size":1,"position":7}\n{"k0":1,"a0":0.5,"size":2,"position":8}\n'
    measures = {"x": "SUM(a0)", "n": "AVG(position + 0.5)", "m0": "LAST(size)", "p": "FIRST(size)"}
    steps = [{"aggregate": {"by": ["k0"], "measures": measures}}, {"sort": ["x"]}]
    done = engine.run({"a.ndjson": content}, {"transformations": steps, "stamp": False})
    assert done.text == '{"k0":1,"x":3.0,"n":8.0,"m0":2,"p":1}\n'


DOUBLES = st.floats(-1e150, 1e150) | st.floats(-1e3, 1e3) | st.sampled_from([0.1, -0.1, 1e16, 1e100, -1e100, 5e-324])


@settings(max_examples=40, deadline=None)
@given(st.lists(DOUBLES, min_size=1, max_size=60))
def test_a_sum_is_that_of_the_exact_numbers(numbers: list[float]) -> None:
    """However they cancel out: what is lost is a rounding of the largest, once for each size of numbers."""
    content = "".join(json.dumps({"x": number}) + "\n" for number in numbers)
    config = {
        "transformations": [{"aggregate": {"measures": {"sum": "SUM(x)", "avg": "AVG(x)"}}}],
        "input": {"schema": {"x": "DOUBLE"}},
        "stamp": False,
    }
    with TemporaryDirectory() as folder:
        found = json.loads(Engine(Path(folder)).run({"a.ndjson": content}, config).text)
    exact = sum(map(Fraction, numbers), Fraction())
    slack = sum((abs(Fraction(number)) for number in numbers), Fraction()) * Fraction(1, 2**50) + Fraction(1, 2**1010)
    assert abs(Fraction(found["sum"]) - exact) <= slack
    assert abs(Fraction(found["avg"]) - exact / len(numbers)) <= slack


def test_what_cancels_out_takes_nothing_else_along(engine: Engine) -> None:
    content = "".join(f'{{"x":{number}}}\n' for number in [1e16, *[1.0] * 1000, 1e200, -1e16, -1e200, 0.125])
    steps = [{"aggregate": {"measures": {"sum": "SUM(x)"}}}]
    assert engine.run({"a.ndjson": content}, {"transformations": steps, "stamp": False}).text == '{"sum":1000.125}\n'


def test_numbers_without_an_end_add_up_as_ieee_754_says(engine: Engine) -> None:
    content = "g,x\n1,inf\n1,3.5\n2,inf\n2,-inf\n3,nan\n3,2.5\n4,-inf\n"
    steps = [{"aggregate": {"by": ["g"], "measures": {"s": "SUM(CAST(x AS DOUBLE))", "a": "AVG(CAST(x AS DOUBLE))"}}}]
    config = {"transformations": steps, "input": {"schema": {"x": "VARCHAR"}}, "stamp": False}
    done = engine.run({"a.csv": content}, config)
    assert done.text.lower().replace("-nan", "nan") == "g,s,a\n1,inf,inf\n2,nan,nan\n3,nan,nan\n4,-inf,-inf\n"


@pytest.mark.parametrize(
    ("steps", "ids"),
    [
        ([{"sort": ["-v"]}], range(199_999, -1, -1)),
        (
            [{"deduplicate": {"by": ["v"]}}, {"sort": ["k"]}, {"sort": ["-i"]}, {"limit": 9}],
            range(199_999, 199_990, -1),
        ),
    ],
    ids=["one step", "several"],
)
def test_what_is_larger_than_the_memory_goes_to_the_disk(
    new_engine: NewEngine, steps: list[object], ids: range
) -> None:
    """Also where the memory would not do for as many threads."""
    content = "".join(f'{{"i":{i},"k":{i % 1000},"v":{i / 8},"t":"{"x" * 1400}{i}"}}\n' for i in range(200_000))
    engine = new_engine(memory_bytes=256 * MIB, threads=4, sample_bytes=10_000, max_plain_bytes=400 * MIB)
    done = engine.run({"a.ndjson": content}, {"transformations": steps, "stamp": False})
    assert [json.loads(line)["i"] for line in done.text.splitlines()] == list(ids)


def test_a_group_that_can_not_be_computed_with_is_named(engine: Engine) -> None:
    steps = [
        {"aggregate": {"by": ["who"], "measures": {"n": "COUNT(*)"}}},
        {"sort": ["n"]},
        {"derive": {"share": "100 // (n - 2)"}},
    ]
    message = r'^config.transformations\[0\].aggregate, record 3, column "share": .*\.share: Division by zero$'
    with pytest.raises(RecordError, match=message):
        engine.run({"a.ndjson": VISITS}, {"transformations": steps})


def test_a_record_that_can_not_be_aggregated_is_named(engine: Engine) -> None:
    steps = [{"limit": 4}, {"aggregate": {"measures": {"n": "SUM(CAST(who AS BIGINT))"}}}]
    with pytest.raises(RecordError, match=r'^a\.ndjson, record 1, column "n": .*measures\.n: "ann" is no BIGINT$'):
        engine.run({"a.ndjson": VISITS}, {"transformations": steps})


def test_a_sum_that_grows_too_large_names_its_measure(engine: Engine) -> None:
    steps = [{"aggregate": {"measures": {"n": "COUNT(*)", "big": "SUM(CAST(1e38 AS HUGEINT))"}}}]
    with pytest.raises(PipelineError, match=r"^config\.transformations\[0\]\.aggregate\.measures\.big: Overflow"):
        engine.run({"a.ndjson": VISITS}, {"transformations": steps})


COLUMNS = ("a", "b", "c")
VALUES = {
    "a": st.none() | st.integers(-2, 2),
    "b": st.none() | st.sampled_from(["", "x", "é", "x y"]),
    "c": st.integers(-(2**40), 2**40),
}
NAMES = st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=2, unique=True)
SORTED_BY = NAMES.flatmap(lambda names: st.tuples(*(st.sampled_from([name, f"-{name}"]) for name in names)).map(list))
STEPS = st.one_of(
    st.builds(lambda by: {"sort": by}, SORTED_BY),
    st.builds(lambda records: {"limit": records}, st.integers(0, 12)),
    st.builds(
        lambda by, keep, order_by: {"deduplicate": {"by": by, "keep": keep, "order_by": order_by}},
        NAMES,
        st.sampled_from(["first", "last"]),
        SORTED_BY,
    ),
    st.builds(lambda by, keep: {"deduplicate": {"by": by, "keep": keep}}, NAMES, st.sampled_from(["first", "last"])),
    st.just({"filter": "c > 0"}),
    st.just({"aggregate": {"by": ["a"], "measures": {"b": "LAST(b)", "c": "SUM(c)"}}}),
    st.just({"aggregate": {"by": ["b", "a"], "measures": {"c": "MIN(c)"}}}),
    st.just({"aggregate": {"by": ["b"], "measures": {"a": "FIRST(a)", "c": "COUNT(*)"}}}),
    st.just({"aggregate": {"by": ["b"], "measures": {"a": "MAX(a)", "c": "COUNT(DISTINCT a)"}}}),
    st.just({"aggregate": {"measures": {"a": "COUNT(a)", "b": "MIN(b)", "c": "COUNT(*)"}}}),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries(VALUES), max_size=25), st.lists(STEPS, min_size=1, max_size=4), st.integers(1, 3))
def test_steps_do_what_they_would_do_in_plain_python(records: list[Record], steps: list[Step], files: int) -> None:
    objects = {
        f"{i}.ndjson": "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records[i::files])
        for i in range(files)
    }
    schema = {"a": "BIGINT", "b": "VARCHAR", "c": "HUGEINT"}
    config = {"transformations": steps, "input": {"schema": schema}, "output": {"format": "ndjson"}, "stamp": False}
    with TemporaryDirectory() as folder:
        done = Engine(Path(folder)).run(objects, config)
        if parse_config(config).needs_all_rows:
            assert Engine(Path(folder)).run(objects, config, staged=True).text == done.text
    expected = [record for i in range(files) for record in records[i::files]]
    for step in steps:
        expected = after(step, expected)
    assert [json.loads(line) for line in done.text.splitlines()] == expected
