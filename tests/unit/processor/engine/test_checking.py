"""A pipeline against the columns of its input: what a step may ask of them."""

import pytest

from services.processor.domain.pipeline import parse_config
from services.processor.domain.pipeline_errors import PipelineError
from services.processor.domain.schema_of_records import schema_from_json
from services.processor.engine.checking import check

SCHEMA = schema_from_json({"id": "BIGINT", "price": "DOUBLE", "name": "VARCHAR", "tags": "VARCHAR[]", "extra": "JSON"})
CAST = "CAST a value, or say its type in config.input.schema"
NO_COLUMN = 'no column "prize"; did you mean "price"?'

WRONG: list[tuple[dict[str, object], str, str]] = [
    ({"derive": {"total": "prize * 2"}}, ".derive.total", NO_COLUMN),
    ({"rename": {"prize": "x"}}, ".rename.prize", NO_COLUMN),
    ({"drop": ["id", "prize"]}, ".drop[1]", NO_COLUMN),
    ({"select": ["prize"]}, ".select[0]", NO_COLUMN),
    ({"cast": {"prize": "BIGINT"}}, ".cast.prize", NO_COLUMN),
    ({"filter": "prize > 1"}, ".filter", NO_COLUMN),
    ({"sort": ["id", "-prize"]}, ".sort[1]", NO_COLUMN),
    ({"sort": ["extra"]}, ".sort[0]", '"extra" holds JSON, which has no order; derive the part to sort by'),
    ({"deduplicate": {"by": ["id", "prize"]}}, ".deduplicate.by[1]", NO_COLUMN),
    ({"deduplicate": {"by": ["id"], "order_by": ["-prize"]}}, ".deduplicate.order_by[0]", NO_COLUMN),
    (
        {"deduplicate": {"by": ["extra"]}},
        ".deduplicate.by[0]",
        '"extra" holds JSON, which may say the same in several ways; derive the part that counts',
    ),
    (
        {"deduplicate": {"by": ["tags"]}},
        ".deduplicate.by[0]",
        "\"tags\" holds lists; derive one value of it, as in array_to_string(x, ',')",
    ),
    ({"aggregate": {"by": ["prize"], "measures": {"n": "COUNT(*)"}}}, ".aggregate.by[0]", NO_COLUMN),
    ({"aggregate": {"measures": {"n": "SUM(prize)"}}}, ".aggregate.measures.n", NO_COLUMN),
    (
        {"aggregate": {"by": ["id"], "measures": {"ID": "COUNT(*)"}}},
        ".aggregate.measures.id",
        'there would be two columns "id"; give the measure another name',
    ),
    (
        {"aggregate": {"measures": {"n": "MAX(extra)"}}},
        ".aggregate.measures.n",
        "max takes no JSON; take a part of it as text with ->> '$.key'",
    ),
    (
        {"aggregate": {"measures": {"n": "COUNT(DISTINCT extra)"}}},
        ".aggregate.measures.n",
        "count takes no JSON; take a part of it as text with ->> '$.key'",
    ),
    (
        {"aggregate": {"measures": {"n": "SUM(name)"}}},
        ".aggregate.measures.n",
        f"No function matches the given name and argument types 'sum(VARCHAR)' (here: n VARCHAR); {CAST}",
    ),
    ({"drop": ["id", "price", "name", "tags", "extra"]}, ".drop", "no column would be left; keep at least one"),
    ({"rename": {"id": "price"}}, ".rename.id", 'there would be two columns "price"; drop one before'),
    ({"rename": {"id": "x", "price": "X"}}, ".rename.price", 'there would be two columns "X"; drop one before'),
    (
        {"filter": "id"},
        ".filter",
        'a filter must be BOOLEAN (true or false), this is BIGINT; compare it, as in "x > 0"',
    ),
    (
        {"filter": "NULL"},
        ".filter",
        'a filter must be BOOLEAN (true or false), this is NULL; compare it, as in "x > 0"',
    ),
    (
        {"filter": "name > 5"},
        ".filter",
        f"Cannot compare values of type VARCHAR and type number (here: name VARCHAR); {CAST}",
    ),
    (
        {"derive": {"x": "upper(id)"}},
        ".derive.x",
        f"No function matches the given name and argument types 'upper(BIGINT)' (here: id BIGINT); {CAST}",
    ),
    ({"derive": {"x": "NULL"}}, ".derive.x", "NULL is no type for a column; say which by CAST(NULL AS …)"),
    (
        {"derive": {"x": "INTERVAL 1 DAY"}},
        ".derive.x",
        "INTERVAL is no type for a column; CAST it to one, as in CAST(x AS VARCHAR)",
    ),
]


@pytest.mark.parametrize(("step", "place", "reason"), WRONG, ids=range(len(WRONG)))
def test_an_error_names_step_and_column(step: dict[str, object], place: str, reason: str) -> None:
    with pytest.raises(PipelineError) as caught:
        check(parse_config({"transformations": [{"limit": 5}, step]}), SCHEMA)
    assert caught.value.detail == f"config.transformations[1]{place}: {reason}"
    assert caught.value.errors[0].pointer.startswith("/config/transformations/1/")


def test_a_step_sees_the_columns_that_are_left() -> None:
    steps = [{"rename": {"price": "cost"}}, {"derive": {"total": "price * 2"}}]
    with pytest.raises(PipelineError, match=r'transformations\[1\]\.derive\.total: no column "price"'):
        check(parse_config({"transformations": steps}), SCHEMA)


def test_the_output_has_the_types_that_the_engine_tells() -> None:
    derived = {
        "a": "id + 1",
        "b": "price > 1",
        "c": "CAST(name AS DATE)",
        "d": "CAST(price AS DECIMAL(9,2)) * 2",
        "e": "extra.x",
        "f": "extra -> 'x'",
        "g": "tags[1]",
        "h": "to_timestamp(id)",
        "i": "string_split(name, ',')",
    }
    checked = check(parse_config({"transformations": [{"derive": derived}], "stamp": False}), SCHEMA)
    assert list(checked.output.to_json().items())[5:] == [
        ("a", "BIGINT"),
        ("b", "BOOLEAN"),
        ("c", "DATE"),
        ("d", "DECIMAL(18,2)"),
        ("e", "VARCHAR"),
        ("f", "JSON"),
        ("g", "VARCHAR"),
        ("h", "TIMESTAMPTZ"),
        ("i", "VARCHAR[]"),
    ]


def test_nothing_is_checked_where_there_are_no_columns() -> None:
    checked = check(parse_config({"filter_condition": "a > 1"}), schema_from_json({}))
    assert (checked.steps, checked.output.columns) == ((), ())


@pytest.mark.parametrize("type_name", ["TIMESTAMPTZ", "TIMESTAMP", "DATE"])
def test_a_constant_of_any_type_may_be_derived(type_name: str) -> None:
    derived = {"x": f"CAST('2026-12-01' AS {type_name})"}
    checked = check(parse_config({"transformations": [{"derive": derived}], "stamp": False}), SCHEMA)
    assert checked.output.to_json()["x"] == type_name


def test_a_constant_that_cannot_be_computed_blames_its_step_and_no_record() -> None:
    with pytest.raises(PipelineError, match=r"transformations\[0\]\.derive\.x: .*zwei") as caught:
        check(parse_config({"transformations": [{"derive": {"x": "CAST('zwei' AS TIMESTAMPTZ)"}}]}), SCHEMA)
    assert caught.value.errors[0].pointer == "/config/transformations/0/derive/x"
