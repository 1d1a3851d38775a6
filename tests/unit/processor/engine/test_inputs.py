"""What is told from the first bytes of objects, and a preview of them."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.processor.domain.formats import encoding_from_json
from services.processor.domain.pipeline import Pipeline, parse_config
from services.processor.domain.pipeline_errors import PipelineError, RecordError
from services.processor.domain.schema_of_records import schema_from_json
from services.processor.engine.inputs import SAMPLE_BYTES, ObjectSample, plan_inputs
from services.processor.engine.previewing import Preview, preview
from services.processor.engine.session import EngineLimits
from tests.unit.processor.engine.conftest import MIB, as_bytes


def sample(name: str, content: str | bytes, *, is_whole: bool = True) -> ObjectSample:
    return ObjectSample(name, as_bytes(content), is_whole)


def schema_of(*contents: str | bytes, name: str = "a.ndjson") -> dict[str, str]:
    return plan_inputs(Pipeline(), [sample(name, content) for content in contents]).schema.to_json()


@pytest.mark.parametrize(
    ("values", "column_type"),
    [
        ("1", "BIGINT"), ("-9223372036854775808", "BIGINT"), ("9223372036854775808", "HUGEINT"),
        ("1 18446744073709551616", "HUGEINT"),
        (f"{10**40}", "JSON"), (f"{'9' * 5000}", "JSON"), ("1.0", "DOUBLE"), ("1 2.5", "DOUBLE"), ("2.5 1", "DOUBLE"),
        ("1e3", "DOUBLE"),
        ("true", "BOOLEAN"), ('"x"', "VARCHAR"), ('"2026-11-23"', "VARCHAR"), ('"1"', "VARCHAR"), ("null", "JSON"),
        ("null 1", "BIGINT"), ("{}", "JSON"), ('["a"]', "VARCHAR[]"), ("[1] [2.5]", "DOUBLE[]"), ("[] [null]", "JSON"),
        ("[] [true]", "BOOLEAN[]"), ("[2.5] [1] [null]", "DOUBLE[]"),
        ("[1] []", "BIGINT[]"), ('[1] ["a"]', "JSON"), ('[1,"a"]', "JSON"), ("[1,2.5,null]", "DOUBLE[]"),
        ("[[1]]", "JSON"),
        ("[{}]", "JSON"),
        ('1 "x"', "BIGINT"), ('"x" 1', "VARCHAR"), ("true 1", "BOOLEAN"), ("[1] 1", "JSON"), ("{} 1", "JSON"),
    ],
)  # fmt: skip
def test_a_json_column_has_the_type_that_changes_nothing(values: str, column_type: str) -> None:
    content = "".join(f'{{"v":{value}}}\n' for value in values.split(" "))
    assert schema_of(content) == {"v": column_type}
    assert schema_of(*content.splitlines()) == {"v": column_type}


@pytest.mark.parametrize(
    ("values", "column_type"),
    [
        ("1 2 -3 0", "BIGINT"), ("1 2.5", "DOUBLE"), ("2.50 1e3", "DOUBLE"), ("007 1", "VARCHAR"), ("-0 1", "DOUBLE"),
        ("00.5", "VARCHAR"),
        ("+1", "VARCHAR"), ("1 x", "VARCHAR"), ("true false", "BOOLEAN"), ("True", "VARCHAR"), ("true 1", "VARCHAR"),
        ("nan", "VARCHAR"),
        ("9999999999999999999", "VARCHAR"), ("0.30000000000000004", "DOUBLE"), ("0.30000000000000000004", "VARCHAR"),
        (",", "VARCHAR"),
        ("1,", "BIGINT"),
    ],
)  # fmt: skip
def test_a_column_of_a_table_has_the_type_that_writes_it_back(values: str, column_type: str) -> None:
    rows = "".join(f"{value.removesuffix(',')},x\n" for value in values.split(" "))
    assert schema_of(f"v,w\n{rows}", name="a.csv") == {"v": column_type, "w": "VARCHAR"}


def test_tables_may_differ_in_a_columns_type() -> None:
    assert schema_of("a,b,c\n1,1,\n", "c,b,a\n1,2.5,x\n", name="x.csv") == {
        "a": "VARCHAR",
        "b": "DOUBLE",
        "c": "BIGINT",
    }


def test_columns_of_all_objects_come_together() -> None:
    assert schema_of('{"a":1}\n', '{"b":"x","a":2.5}\n', "", '{"c":null}\n') == {
        "a": "DOUBLE",
        "b": "VARCHAR",
        "c": "JSON",
    }


@pytest.mark.parametrize("cut", range(1, 41))
def test_a_sample_may_end_anywhere(cut: int) -> None:
    stated = parse_config({"input": {"schema": {"a": "BIGINT"}}})
    lines = '{"a":12,"b":"ü\\n"}\n{"a":345,"b":"x"}\n'.encode()
    array = b"[" + lines.strip().replace(b"\n", b",") + b"]"
    table = 'a,b\n12,"ü, ""\n"\n345,x\n'.encode()
    for name, content in {"a.ndjson": lines, "a.json": array, "a.csv": table}.items():
        plan = plan_inputs(stated, [sample(name, content[:cut], is_whole=False)])
        assert plan.encodings[0].format.name == name.removeprefix("a.")
        assert set(plan.schema.to_json()) <= {"a", "b"}


def test_a_gzip_is_unpacked_only_as_far_as_it_is_looked_at() -> None:
    bomb = gzip.compress(b'{"a":1}\n' * 2_000_000, compresslevel=1)
    plan = plan_inputs(Pipeline(), [sample("a.ndjson.gz", bomb[:SAMPLE_BYTES], is_whole=len(bomb) <= SAMPLE_BYTES)])
    assert plan.schema.to_json() == {"a": "BIGINT"}


def test_an_object_that_was_not_read_is_told_by_its_name_or_is_like_the_first() -> None:
    names = ["a.json", "b.json", "c", "d.csv", "e.ndjson.gz"]
    samples = [sample("a.json", '{"a":1}\n'), *(sample(name, b"", is_whole=False) for name in names[1:])]
    told = [encoding.to_json() for encoding in plan_inputs(Pipeline(), samples).encodings]
    assert [one["format"] for one in told] == ["ndjson", "ndjson", "ndjson", "csv", "ndjson"]
    assert [one["compression"] for one in told] == ["none", "none", "none", "none", "gzip"]


def test_the_output_is_like_the_first_input_unless_it_is_said() -> None:
    samples = [sample("a.csv.gz", gzip.compress(b"a\n1\n")), sample("b.json", "[]")]
    assert plan_inputs(Pipeline(), samples).output.suffix == ".csv.gz"
    said = parse_config({"output": {"format": "ndjson", "compression": "none"}})
    assert plan_inputs(said, samples).output.suffix == ".ndjson"


def test_a_plan_can_be_written_down() -> None:
    plan = plan_inputs(Pipeline(), [sample("a.ndjson", '{"b":1,"a":[2.5]}\n')])
    assert schema_from_json(json.loads(json.dumps(plan.schema.to_json()))) == plan.schema
    assert encoding_from_json(json.loads(json.dumps(plan.output.to_json()))) == plan.output
    assert (plan.output.suffix, plan.output.content_type) == (".ndjson", "application/x-ndjson")


def test_a_record_larger_than_the_sample_is_told() -> None:
    large = sample("a.ndjson", b'{"a":"' + b"x" * SAMPLE_BYTES, is_whole=False)
    with pytest.raises(
        RecordError, match=r"^a\.ndjson, record 1: the first record is larger than .*; say config\.input\.schema$"
    ):
        plan_inputs(Pipeline(), [large])
    stated = parse_config({"input": {"schema": {"a": "VARCHAR"}}})
    assert plan_inputs(stated, [large]).schema.to_json() == {"a": "VARCHAR"}


def look(
    folder: Path,
    config: object,
    *samples: ObjectSample,
    joined: Sequence[Sequence[ObjectSample]] = (),
    records: int = 2,
) -> Preview:
    limits = EngineLimits(200 * MIB, 1, 10, folder, MIB)
    return preview(parse_config(config), samples, joined, records, processed_at="NOW", limits=limits)


def test_a_preview_shows_records_before_and_after(tmp_path: Path) -> None:
    content = '[{"a":1,"n":12345678901234567890},{"a":2,"n":null},{"a":3,"n":5}, {"a":'
    shown = look(tmp_path, {"filter_condition": "a > 1"}, sample("a.json", content, is_whole=False))
    assert shown.records_in == [{"a": 1, "n": 12345678901234567890}, {"a": 2, "n": None}]
    stamp = {"processed": True, "processed_at": "NOW"}
    assert shown.records_out == [{"a": 2, "n": None, **stamp}, {"a": 3, "n": 5, **stamp}]
    assert shown.schema_in == {"a": "BIGINT", "n": "HUGEINT"}
    assert shown.schema_out == {"a": "BIGINT", "n": "HUGEINT", "processed": "BOOLEAN", "processed_at": "VARCHAR"}
    assert shown.warnings == ["only the first bytes of a.json were read"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'a,b\n1,"x\ny"\n2,"cut'),
        ("a.ndjson", '{"a":1,"b":"x\\ny"}\n{"a":2'),
        ("a.json", '[{"a":1,"b":"x\\ny"}, {"b":3'),
    ],
)
def test_a_preview_leaves_out_a_record_that_is_cut(tmp_path: Path, name: str, content: str) -> None:
    shown = look(tmp_path, {"stamp": False}, sample(name, content, is_whole=False))
    assert shown.records_out == [{"a": 1, "b": "x\ny"}]


def test_a_preview_of_a_sort_says_that_it_is_partial(tmp_path: Path) -> None:
    shown = look(
        tmp_path, {"transformations": [{"sort": ["-a"]}]}, sample("a.ndjson", '{"a":1}\n{"a":2}\n', is_whole=False)
    )
    assert [record["a"] for record in shown.records_out] == [2, 1]
    assert (
        shown.warnings[-1]
        == "steps that need all records (sort, limit, deduplicate, aggregate) saw these alone; a job sees all"
    )


def test_a_preview_joins_what_it_sees(tmp_path: Path) -> None:
    config = {"transformations": [{"join": {"source": "s3://…", "on": ["a"]}}], "stamp": False}
    names = [
        sample("b.csv", "a,b\n2,two\n1,o", is_whole=False),
        sample("c.json", '[{"a":1,"b":"one"}]'),
        sample("d.json", "", is_whole=False),
    ]
    shown = look(tmp_path, config, sample("a.ndjson", '{"a":1}\n{"a":2}\n'), joined=[names])
    assert shown.records_out == [{"a": 1, "b": "one"}, {"a": 2, "b": "two"}]
    assert shown.schema_out == {"a": "BIGINT", "b": "VARCHAR"}
    place = "config.transformations[0].join"
    assert shown.warnings == [f"{place} saw only the first records of its source; a job sees all"]


def test_a_preview_of_nothing_says_so(tmp_path: Path) -> None:
    shown = look(tmp_path, {"filter_condition": "a > 1"}, sample("a.json", "[]"))
    assert (shown.records_in, shown.records_out, shown.schema_in, shown.schema_out) == ([], [], {}, {})
    assert shown.warnings == ["there are no records, so the columns that the pipeline names could not be checked"]


def test_a_preview_fails_as_a_job_would(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="record 2"):
        look(tmp_path, {}, sample("a.ndjson", '{"a":1}\n{"a":"x"}\n'))
    with pytest.raises(PipelineError, match='no column "b"'):
        look(tmp_path, {"filter_condition": "b > 1"}, sample("a.ndjson", '{"a":1}\n'))


def test_a_preview_shows_a_number_of_thousands_of_digits(tmp_path: Path) -> None:
    digits = "9" * 5000
    shown = look(tmp_path, {"stamp": False}, sample("a.ndjson", f'{{"a":{digits}}}\n'))
    assert shown.records_out == [{"a": digits}]
