"""What a config may say, and how it is told what is wrong."""

import pytest

from services.processor.domain.formats import CSV, NDJSON
from services.processor.domain.pipeline import Pipeline, parse_config
from services.processor.domain.pipeline_errors import PipelineError

KEYS = 'known: "filter_condition", "transformations", "input", "output", "on_bad_record", "stamp"'
ONE_KEY = 'a step is an object with one key, such as {"drop": ["card"]}'
NAMES = 'a list of column names is expected, such as ["id", "total"]'
DERIVED = 'an object is expected, such as {"total": "price * quantity"}'
NUMBER = "a whole number of records is expected, such as 100"
ONE_CALL = 'a measure is one call such as "SUM(total)"'
BEHIND = "compute with what it gives in a derive behind this step"
TEXT = 'an expression is text such as "amount > 10"'
DIGITS = "DECIMAL(width,scale) holds 1 to 38 digits, of which scale are behind the point"
TYPES = (
    '"BIGINT", "BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "HUGEINT", "INTEGER", "JSON", "SMALLINT", "TIME", "TIMESTAMP"'
)

WRONG: list[tuple[object, str, str]] = [
    (None, "config", "an object is expected, not null"),
    ([], "config", "an object is expected, not a list"),
    ("x", "config", "an object is expected, not text"),
    (
        {"filterCondition": ""},
        "config.filterCondition",
        'unknown key "filterCondition"; did you mean "filter_condition"?',
    ),
    ({"engine": "spark"}, "config.engine", f'unknown key "engine"; {KEYS}'),
    ({"on_bad_record": "skp"}, "config.on_bad_record", 'unknown policy "skp"; did you mean "skip"?'),
    ({"on_bad_record": 5}, "config.on_bad_record", 'unknown policy "5"; known: "fail", "skip", "quarantine"'),
    ({"stamp": "yes"}, "config.stamp", "true or false is expected"),
    ({"filter_condition": 5}, "config.filter_condition", TEXT),
    ({"filter_condition": " "}, "config.filter_condition", TEXT),
    (
        {"input": {"format": "avro"}},
        "config.input.format",
        'unknown format "avro"; known: "json", "ndjson", "csv", "parquet"',
    ),
    ({"input": {"format": 5}}, "config.input.format", 'unknown format "5"; known: "json", "ndjson", "csv", "parquet"'),
    ({"input": {"format": "ndjsn"}}, "config.input.format", 'unknown format "ndjsn"; did you mean "ndjson"?'),
    (
        {"input": {"compression": "brotli"}},
        "config.input.compression",
        'unknown compression "brotli"; known: "none", "gzip", "zstd"',
    ),
    ({"input": {"schema": []}}, "config.input.schema", 'an object is expected, such as {"price": "DOUBLE"}'),
    (
        {"input": {"schema": {"a": "MONEY"}}},
        "config.input.schema.a",
        f'no type "MONEY"; known: {TYPES}, "TIMESTAMPTZ", …',
    ),
    ({"input": {"schema": {"a": "INT", "A": "INT"}}}, "config.input.schema[1]", 'the column "A" is named twice'),
    ({"input": []}, "config.input", "an object is expected, not a list"),
    (
        {"output": {"partition": ["day"]}},
        "config.output.partition",
        'unknown key "partition"; did you mean "partition_by"?',
    ),
    (
        {"output": {"partition_by": ["day", "Day"]}},
        "config.output.partition_by[1]",
        'the column "Day" is named twice',
    ),
    (
        {"output": {"partition_by": []}},
        "config.output.partition_by",
        'a list of column names is expected, such as ["id", "total"]',
    ),
    (
        {"transformations": {"drop": ["a"]}},
        "config.transformations",
        'a list of steps is expected, such as [{"drop": ["card"]}], not an object',
    ),
    (
        {"transformations": [{"join": {"source": "s3://…", "on": ["a"], "how": "semi"}}] * 11},
        "config.transformations",
        "a pipeline has at most 10 joins",
    ),
    ({"transformations": [{"limit": 1}] * 101}, "config.transformations", "a pipeline has at most 100 steps"),
]

WRONG_STEPS: list[tuple[object, str, str]] = [
    ("drop", "", ONE_KEY),
    ({}, "", ONE_KEY),
    ({"limit": 1, "drop": ["a"]}, "", ONE_KEY),
    ({"filtre": "a"}, ".filtre", 'unknown step "filtre"; did you mean "filter"?'),
    ({"deduplicate": ["id"]}, ".deduplicate", 'an object with "by" is expected'),
    ({"deduplicate": {}}, ".deduplicate", '"by" is missing'),
    ({"deduplicate": {"by": []}}, ".deduplicate.by", NAMES),
    (
        {"deduplicate": {"by": ["a"], "on": 1}},
        ".deduplicate.on",
        'unknown key "on"; known: "by", "keep", "order_by"',
    ),
    (
        {"deduplicate": {"by": ["a"], "keep": "lst"}},
        ".deduplicate.keep",
        'unknown choice "lst"; did you mean "last"?',
    ),
    ({"deduplicate": {"by": ["a"], "order_by": "b"}}, ".deduplicate.order_by", NAMES),
    ({"join": {"on": ["a"]}}, ".join", '"source" is missing'),
    ({"join": {"source": "s3://…"}}, ".join", '"on" is missing'),
    (
        {"join": {"source": "s3://…", "on": ["a"], "how": "outer"}},
        ".join.how",
        'unknown join "outer"; known: "left", "inner", "semi", "anti"',
    ),
    (
        {"join": {"source": "s3://…", "on": ["a"], "input": {"format": "cvs"}}},
        ".join.input.format",
        'unknown format "cvs"; did you mean "csv"?',
    ),
    ({"aggregate": {"by": ["a"]}}, ".aggregate", '"measures" is missing'),
    ({"aggregate": {"measures": {}}}, ".aggregate.measures", 'an object is expected, such as {"orders": "COUNT(*)"}'),
    *(
        ({"aggregate": {"measures": {"n": measure}}}, ".aggregate.measures.n", reason)
        for measure, reason in [
            (5, TEXT),
            ("SUM(a) / 2", f"{ONE_CALL}; {BEHIND}"),
            ("SUM(a) OVER ()", f"{ONE_CALL}; {BEHIND}"),
            ("SUM(a) FILTER (WHERE b)", f"{ONE_CALL}; {BEHIND}"),
            ("round(SUM(a), 2)", f"{ONE_CALL}, and round is no aggregate; {BEHIND}"),
            ("SUMM(a)", 'no aggregate "SUMM"; did you mean "sum"?'),
            ("COUNT()", "count takes one argument, not 0"),
            ("SUM(*)", '"*" can\'t be used in an expression'),
            ("SUM(DISTINCT a)", "DISTINCT stands in COUNT(DISTINCT x) alone, before one value"),
            ("COUNT(DISTINCT a, b)", "DISTINCT stands in COUNT(DISTINCT x) alone, before one value"),
            ("SUM(a ORDER BY b)", "ORDER can't be used in an expression"),
            (
                "SUM(SUM(a))",
                'no function "SUM"; an expression sees one record, and adds up none; the step aggregate does',
            ),
            (
                "MAX(random())",
                'no function "random"; an expression draws nothing at random, so that a run again gives the same',
            ),
        ]
    ),
    ({"derive": ["a"]}, ".derive", DERIVED),
    ({"derive": {}}, ".derive", DERIVED),
    ({"derive": {"": "1"}}, ".derive", "a column's name is text, and not empty"),
    ({"derive": {"x": "1", "X": "2"}}, ".derive[1]", 'the column "X" is named twice'),
    ({"derive": {"x" * 300: "1"}}, ".derive", "a column's name has at most 255 characters, and no NUL"),
    ({"derive": {"x\0": "1"}}, ".derive", "a column's name has at most 255 characters, and no NUL"),
    ({"rename": {"a": 5}}, ".rename.a", "a column's name is text, and not empty"),
    ({"drop": "a"}, ".drop", NAMES),
    ({"select": []}, ".select", NAMES),
    ({"sort": ["a", "A"]}, ".sort[1]", 'the column "A" is named twice'),
    ({"cast": {"a": "BIGNIT"}}, ".cast.a", 'no type "BIGNIT"; did you mean "BIGINT"?'),
    ({"cast": {"a": 5}}, ".cast.a", 'a type is text such as "BIGINT", not int'),
    ({"cast": {"a": "VARCHAR(10)"}}, ".cast.a", "VARCHAR takes no length"),
    ({"cast": {"a": "DECIMAL(60,2)"}}, ".cast.a", DIGITS),
    ({"cast": {"a": "BIGINT[][][][][]"}}, ".cast.a", "a list may nest 4 deep"),
    ({"limit": -1}, ".limit", NUMBER),
    ({"limit": True}, ".limit", NUMBER),
    ({"limit": 2**63}, ".limit", NUMBER),
]


@pytest.mark.parametrize(("config", "place", "reason"), WRONG, ids=range(len(WRONG)))
def test_an_error_names_the_place_and_the_remedy(config: object, place: str, reason: str) -> None:
    with pytest.raises(PipelineError) as caught:
        parse_config(config)
    assert caught.value.detail == f"{place}: {reason}"
    assert [(error.pointer, error.detail) for error in caught.value.errors] == [
        ("/" + place.replace(".", "/").replace("[", "/").rstrip("]"), f"{place}: {reason}")
    ]


@pytest.mark.parametrize(("step", "place", "reason"), WRONG_STEPS, ids=range(len(WRONG_STEPS)))
def test_an_error_names_the_step(step: object, place: str, reason: str) -> None:
    with pytest.raises(PipelineError) as caught:
        parse_config({"transformations": [{"limit": 1}, step]})
    assert caught.value.detail == f"config.transformations[1]{place}: {reason}"
    pointer = place.replace(".", "/").replace("[1]", "/1")
    assert caught.value.errors[0].pointer == f"/config/transformations/1{pointer}"


def test_a_pointer_is_escaped() -> None:
    with pytest.raises(PipelineError) as caught:
        parse_config({"a/b~c": 1})
    assert caught.value.errors[0].pointer == "/config/a~1b~0c"


def test_nothing_said_is_the_identity_with_a_stamp() -> None:
    assert parse_config({}) == Pipeline()
    assert Pipeline().stamp is True


@pytest.mark.parametrize(
    ("step", "needs_all"),
    [
        ({"limit": 1}, True),
        ({"sort": ["a"]}, True),
        ({"deduplicate": {"by": ["a"]}}, True),
        ({"aggregate": {"measures": {"n": "COUNT(*)"}}}, True),
        ({"join": {"source": "s3://…", "on": ["a"]}}, False),
        ({"drop": ["a"]}, False),
        ({"filter": "a"}, False),
        ({"derive": {"a": "1"}}, False),
        ({"rename": {"a": "b"}}, False),
        ({"select": ["a"]}, False),
        ({"cast": {"a": "INT"}}, False),
    ],
)
def test_some_steps_need_all_rows(step: dict[str, object], needs_all: bool) -> None:
    assert parse_config({"transformations": [step]}).needs_all_rows is needs_all


def test_the_filter_condition_comes_first() -> None:
    pipeline = parse_config({"transformations": [{"drop": ["a"]}], "filter_condition": "a > 1"})
    assert [str(step.place) for step in pipeline.steps] == ["config.filter_condition", "config.transformations[0].drop"]


def test_formats_and_types_are_parsed() -> None:
    schema = {"b": "text", "a": "decimal( 9 , 2 )", "c": "int[]"}
    stated = {"format": "csv", "compression": "gzip", "schema": schema}
    pipeline = parse_config({"input": stated, "output": {"format": "ndjson"}, "stamp": False})
    assert (pipeline.input.format, pipeline.input.compression, pipeline.output.format) == (CSV, "gzip", NDJSON)
    assert pipeline.input.schema is not None
    assert pipeline.input.schema.to_json() == {"b": "VARCHAR", "a": "DECIMAL(9,2)", "c": "INTEGER[]"}
    assert pipeline.output.compression is None
    assert pipeline.stamp is False
