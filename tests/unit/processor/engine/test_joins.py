"""Records of two sources: which go together, in which order, and what can't."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.processor.domain.pipeline_errors import PipelineError, RecordError
from tests.unit.processor.engine.conftest import Engine

SALES = """\
{"id":1,"country":"CH","x":2.5}
{"id":2,"country":"XX","x":0.0}
{"id":3,"country":"DE","x":-0.0}
{"id":4,"country":null,"x":null}
{"id":5,"country":"CH","x":7.0}
"""
COUNTRIES = "country,name,zone\nDE,Germany,1\nCH,Schweiz,2\nCH,Suisse,3\n,nowhere,4\n"
JOINED = [
    ("inner", ["1,CH,Schweiz,2", "1,CH,Suisse,3", "3,DE,Germany,1", "5,CH,Schweiz,2", "5,CH,Suisse,3"]),
    (
        "left",
        ["1,CH,Schweiz,2", "1,CH,Suisse,3", "2,XX,,", "3,DE,Germany,1", "4,,,", "5,CH,Schweiz,2", "5,CH,Suisse,3"],
    ),
    ("semi", ["1,CH", "3,DE", "5,CH"]),
    ("anti", ["2,XX", "4,"]),
]


def join(**arguments: object) -> dict[str, object]:
    return {"join": {"source": "s3://…", "on": ["country"], **arguments}}


@pytest.mark.parametrize(("how", "expected"), JOINED, ids=[how for how, _ in JOINED])
def test_records_go_together_in_their_order(engine: Engine, how: str, expected: list[str]) -> None:
    config = {"transformations": [{"drop": ["x"]}, join(how=how)], "output": {"format": "csv"}, "stamp": False}
    done = engine.run({"a.ndjson": SALES}, config, joined=[{"countries.csv": COUNTRIES}])
    header = "id,country,name,zone" if how in {"left", "inner"} else "id,country"
    assert done.text == "".join(line + "\n" for line in [header, *expected])
    assert done.result.records_in == 5


def test_later_steps_go_by_the_order_that_a_join_made(engine: Engine) -> None:
    """Two joins, of which each has its own source; the second is of several objects of several formats."""
    steps = [
        join(how="inner"),
        {"deduplicate": {"by": ["country"], "keep": "last"}},
        join(on=["x"], input={"schema": {"x": "DOUBLE"}}),
        {"sort": ["zone"]},
        {"select": ["name", "size"]},
    ]
    sizes = {"s.csv": "x,size\n7,large\n", "s.json": '[{"x":0,"size":"none"}]'}
    config = {"transformations": steps, "stamp": False}
    done = engine.run({"a.ndjson": SALES}, config, joined=[{"countries.csv": COUNTRIES}, sizes])
    assert done.text == '{"name":"Germany","size":"none"}\n{"name":"Suisse","size":"large"}\n'


def test_columns_may_be_called_as_ours_are(engine: Engine) -> None:
    ours, theirs = '{"position":1,"ours":2}\n', '{"position":1,"number":3,"origin":4}\n'
    config = {"transformations": [join(on=["position"]), {"sort": ["number"]}], "stamp": False}
    done = engine.run({"a.ndjson": ours}, config, joined=[{"b.ndjson": theirs}])
    assert done.text == '{"position":1,"ours":2,"number":3,"origin":4}\n'


SCHEMA = "config.transformations[0].join.input.schema"
WRONG = [
    (join(on=["land"]), ".on[0]", 'no column "land"; known: "id", "country", "x"'),
    (join(on=["x"]), ".on[0]", 'the source has no column "x"; known: "country", "name", "zone", "code", "id"'),
    (
        join(on=["id"]),
        ".on[0]",
        f'"id" is BIGINT here and VARCHAR in the source; cast it before, or say {SCHEMA}: {{"id": "BIGINT"}}',
    ),
    (
        join(),
        "",
        'there would be two columns "id"; rename one before, as in {"rename": {"id": "our_id"}}, or drop it',
    ),
]


@pytest.mark.parametrize(("step", "place", "reason"), WRONG, ids=range(len(WRONG)))
def test_what_does_not_go_together_is_named(engine: Engine, step: object, place: str, reason: str) -> None:
    with pytest.raises(PipelineError) as caught:
        engine.run(
            {"a.ndjson": SALES},
            {"transformations": [step]},
            joined=[{"c.csv": "country,name,zone,code,id\nCH,Schweiz,1,2,x\n"}],
        )
    assert caught.value.detail == f"config.transformations[0].join{place}: {reason}"


def test_a_source_without_records_has_no_columns(engine: Engine) -> None:
    reason = r"join\.source: the source has no records, and so no columns; say them in input\.schema$"
    with pytest.raises(PipelineError, match=reason):
        engine.run({"a.ndjson": SALES}, {"transformations": [join()]}, joined=[{"c.json": "[]"}])
    said = join(input={"schema": {"country": "VARCHAR", "name": "VARCHAR"}}, how="anti")
    config = {"transformations": [said], "stamp": False}
    assert engine.run({"a.ndjson": SALES}, config, joined=[{"c.json": "[]"}]).text == SALES


def test_a_bad_record_of_the_source_is_named_and_where_to_mend_it(engine: Engine) -> None:
    content = "country,zone\nCH,1\nDE,x\n"
    engine = Engine(engine.folder, sample_bytes=18)
    with pytest.raises(RecordError) as caught:
        engine.run({"a.ndjson": ""}, {"transformations": [join()]}, joined=[{"c.csv": content}])
    assert caught.value.detail == (
        'c.csv, record 2, column "zone": "x" is no BIGINT, or would not stay the same as one; '
        'correct it, or say config.transformations[0].join.input.schema: {"zone": "VARCHAR"} to keep it as it is'
    )


def test_a_value_that_fails_behind_a_join_names_the_record_that_was_joined(engine: Engine) -> None:
    steps = [join(how="inner"), {"sort": ["-zone"]}, {"derive": {"n": "id // (zone - 1)"}}]
    with pytest.raises(RecordError, match=r'^a\.ndjson, record 3, column "n": .*derive\.n: Division by zero$'):
        engine.run({"a.ndjson": SALES}, {"transformations": steps}, joined=[{"countries.csv": COUNTRIES}])


def test_the_example_of_the_reference_gives_what_it_says(engine: Engine) -> None:
    page = (Path(__file__).parents[4] / "docs/reference/pipelines.md").read_text(encoding="utf-8")
    example = page.split("## An example", 1)[1].split("\n## ", 1)[0]
    orders, countries, result = re.findall(r"```csv\n(.*?)```", example, re.DOTALL)
    [config] = re.findall(r"```json\n(.*?)```", example, re.DOTALL)
    done = engine.run({"orders.csv": orders}, json.loads(config), joined=[{"countries.csv": countries}])
    assert done.text == result


KEYS = st.none() | st.integers(0, 4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(KEYS, st.sampled_from(["x", "y"])), max_size=15),
    st.lists(st.tuples(KEYS, st.sampled_from(["x", "y"])), max_size=15),
    st.sampled_from(["left", "inner", "semi", "anti"]),
    st.sampled_from([["a"], ["b", "a"]]),
)
def test_a_join_does_what_it_would_do_in_plain_python(
    ours: list[tuple[int | None, str]], theirs: list[tuple[int | None, str]], how: str, on: list[str]
) -> None:
    left = [{"a": a, "b": b, "i": i} for i, (a, b) in enumerate(ours)]
    right = [{"a": a, "b": b, "j": j} for j, (a, b) in enumerate(theirs)]
    if on == ["a"]:
        right = [{"a": record["a"], "j": record["j"]} for record in right]
    expected = []
    for record in left:
        found = [other for other in right if all(record[key] == other[key] is not None for key in on)]
        if how in {"semi", "anti"}:
            expected += [record] if bool(found) == (how == "semi") else []
        else:
            expected += [{**record, "j": one["j"]} for one in found]
            expected += [{**record, "j": None}] if how == "left" and not found else []
    columns = {"a": "BIGINT", "b": "VARCHAR"}
    step = join(on=on, how=how, input={"schema": {key: columns[key] for key in sorted(on)} | {"j": "BIGINT"}})
    config = {"transformations": [step], "input": {"schema": {**columns, "i": "BIGINT"}}, "stamp": False}
    objects = [{"a.ndjson": "".join(json.dumps(record) + "\n" for record in records)} for records in (left, right)]
    with TemporaryDirectory() as folder:
        done = Engine(Path(folder)).run(objects[0], config, joined=[objects[1]])
    assert [json.loads(line) for line in done.text.splitlines()] == expected
