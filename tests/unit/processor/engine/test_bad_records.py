"""A bad record fails the run, and the error says which object, which record, which column, and what would be right."""

import gzip
import json

import pytest

from services.processor.domain.packing import packed
from services.processor.domain.pipeline_errors import PipelineError, RecordError
from tests.unit.processor.engine.conftest import MIB, Engine, as_bytes

NINE = '{"a":1,"b":"x"}\n' * 9
LINES = "; each line holds one whole object; records that span lines go into a JSON array"
QUOTES = "; close each quote, and write a quote within a field twice"

LONG_FIELD = "a field is larger than 2,000,000 bytes; close each quote, or store such data elsewhere"
LONE_CR = "a CR stands by itself in a field without quotes; end each line with LF or CR LF, or quote the field"


def misfit(value: str, column: str = "a", column_type: str = "BIGINT", *, record: int = 10, keep: str = "JSON") -> str:
    return (
        f', record {record}, column "{column}": "{value}" is no {column_type}, or would not stay the same as one; '
        f'correct it, or say config.input.schema: {{"{column}": "{keep}"}} to keep it as it is'
    )


BEHIND_NINE = [
    ('{"a":"x"}\n', misfit("x")),
    ('{"a":"4"}\n', misfit("4")),
    ('{"a":true}\n', misfit("true")),
    ('{"a":{"x":1}}\n', misfit('{"x":1}')),
    ('{"a":[1]}\n', misfit("[1]")),
    ('{"b":5}\n', misfit("5", "b", "VARCHAR")),
    ('{"a":2', """, record 10: this can't be read: expecting ',' delimiter near "{"a":2\""""),
    ('{"a":2}}\n', """, record 10: this can't be read: something stands behind the value: "}\""""),
    ("5\n", ", record 10: a record is an object, this is a number"),
    ("null\n", ", record 10: a record is an object, this is null"),
    ('"{}"\n', ", record 10: a record is an object, this is a text"),
    ('{"a":1,"a":2}\n', ', record 10, column "a": the key is there twice'),
    (b'{"b":"\xff"}\n', ", record 10: this can't be read: the byte 0xff is no UTF-8; save the text as UTF-8"),
    (
        '{"b":"\\ud800"}\n',
        ", record 10: this can't be read: half of a surrogate pair (\\ud800 to \\udfff) stands alone",
    ),
]

BROKEN: list[tuple[str, str | bytes, str]] = [
    ("a.ndjson", '{"a":9007199254740993}\n{"a":1.5}\n', misfit("9007199254740993", "a", "DOUBLE", record=1)),
    ("a.ndjson", NINE + '{"a":NaN}\n', ", record 10: this can't be read: NaN is no JSON"),
    ("a.ndjson", '{"":1}\n', ", record 1: a key is empty; give it a name"),
    (
        "a.ndjson",
        '{"Id":1,"id":2}\n',
        ': the columns "Id" and "id" differ by case alone; rename one in the source',
    ),
    (
        "a.ndjson",
        '{"x":' + "[" * 300 + "]" * 300 + "}\n",
        ", record 1: this can't be read: it nests more than 128 deep",
    ),
    ("a.ndjson", '{"x":' + "[" * 200_000 + "\n", f", record 1: this can't be read: it nests too deep{LINES}"),
    ("a.json", '[{"a":1},{"a":2}', """, record 3: this can't be read: the array ends without "]\""""),
    ("a.json", '[{"a":1},{"a":', """, record 2: this can't be read: expecting value near "":1},{"a":\""""),
    ("a.json", '[{"a":1} {"a":2}]', """, record 2: this can't be read: "," or "]" is missing before "{"a":2}]\""""),
    ("a.json", '[{"a":1}]]', ", record 2: this can't be read: something stands behind the array's end"),
    ("a.json", '[{"a":1},]', """, record 2: this can't be read: expecting value near "[{"a":1},]\""""),
    ("a.json", '[{"a":1},[{"a":1}]]', ", record 2: a record is an object, this is a list"),
    (
        "a.json",
        b'[{"a":1},{"b":"\xff"}]',
        ", record 2: this can't be read: the byte 0xff is no UTF-8; save the text as UTF-8",
    ),
    ("a.json", "[" + "[" * 200_000, ", record 1: this can't be read: it nests too deep"),
    ("a.json", "[{}]", ": no record has any key"),
    ("a.csv", "a,b\n1,2\n3\n", ', record 2: it has 1 fields, the header names 2; quote a field that holds a ","'),
    ("a.csv", "a,b\n1,2,3\n", ', record 1: it has 3 fields, the header names 2; quote a field that holds a ","'),
    ("a.csv", 'a,b\n1,"2\n', f", record 1: this is no CSV: a quote is not closed{QUOTES}"),
    ("a.csv", b"a,b\n1,\xff\n", ", record 1: the byte 0xff is no UTF-8; save the text as UTF-8"),
    (
        "a.csv",
        "a;b\n1;2\n",
        ': the header has one column, "a;b"; fields are separated by "," (RFC 4180); write the file with commas',
    ),
    ("a.csv", "a,b\n1,2\r\n3,4\n", ": some lines end with CR LF and some with LF; end all in one way"),
    ("a.csv", "a,,b\n1,2,3\n", ": column 2 of the header has no name; the first line names every column"),
    ("a.csv", "a,b,a\n1,2,3\n", ', column "a": two columns have this name'),
    ("a.csv", "a,b,A\n1,2,3\n", ': the columns "a" and "A" differ by case alone; rename one'),
    (
        "a.csv",
        "a,b\n1," + "x" * 3_000_000 + "\n",
        f", record 1: this is no CSV: {LONG_FIELD}",
    ),
    ("a.csv", 'a,b\n1,"2" 3\n', f", record 1: this is no CSV: text stands behind a closing quote{QUOTES}"),
    ("a.csv", "a,b\r1,2\r", f": this is no CSV: {LONE_CR}"),
    ("a.csv", "a,b\n1,2\n1,x\ry\n", f", record 2: this is no CSV: {LONE_CR}"),
    ("a.ndjson", '{"a":1.5}\n{"a":1e400}\n', misfit("1e400", "a", "DOUBLE", record=2)),
    ("a.ndjson", '{"a":-1e400}\n', misfit("-1e400", "a", "DOUBLE", record=1)),
    ("a.ndjson", '{"a":1}'.encode("utf-16"), ": the text is UTF-16; save it as UTF-8"),
    ("a.gz", gzip.compress(NINE.encode())[:-6], ": this is no whole gzip file; compress and upload it again"),
    ("a.gz", b"\x1f\x8bnonsense, not deflated", ": this is no whole gzip file; compress and upload it again"),
    ("a.zst", packed(NINE.encode(), "zstd")[:-6], ": this is no whole zstd file; compress and upload it again"),
    ("a.zst", b"\x28\xb5\x2f\xfdnonsense", ": this is no whole zstd file; compress and upload it again"),
    ("a.json.gz", gzip.compress(b"[{}, 7"), ", record 2: a record is an object, this is a number"),
]


@pytest.mark.parametrize(("line", "detail"), BEHIND_NINE, ids=range(len(BEHIND_NINE)))
def test_the_tenth_record_is_named(engine: Engine, line: str | bytes, detail: str) -> None:
    with pytest.raises(RecordError) as caught:
        engine.run({"a.ndjson": NINE.encode() + as_bytes(line)})
    assert caught.value.detail == "a.ndjson" + detail


@pytest.mark.parametrize(("line", "detail"), BEHIND_NINE, ids=range(len(BEHIND_NINE)))
def test_it_is_named_also_far_behind_the_sample(engine: Engine, line: str | bytes, detail: str) -> None:
    good = NINE.encode() * 7_000
    with pytest.raises(RecordError) as caught:
        Engine(engine.folder, sample_bytes=10_000).run({"a.ndjson": good + NINE.encode() + as_bytes(line)})
    assert caught.value.detail == "a.ndjson" + detail.replace("record 10", "record 63010")


@pytest.mark.parametrize(("name", "content", "detail"), BROKEN, ids=range(len(BROKEN)))
def test_a_bad_record_is_named(engine: Engine, name: str, content: str | bytes, detail: str) -> None:
    with pytest.raises(RecordError) as caught:
        engine.run({name: content})
    assert caught.value.detail == name + detail


def test_a_program_can_read_where_it_is(engine: Engine) -> None:
    with pytest.raises(RecordError) as caught:
        engine.run({"a.ndjson": NINE + '{"a":"x"}\n'})
    assert caught.value.extensions == {"object": "a.ndjson", "record": 10, "column": "a"}
    assert (caught.value.code, caught.value.status) == ("bad-record", 422)


def test_a_key_that_the_sample_had_not_is_never_dropped(engine: Engine) -> None:
    content = NINE * 1000 + '{"a":1,"new":4.5}\n'
    with pytest.raises(RecordError) as caught:
        Engine(engine.folder, sample_bytes=1000).run({"a.ndjson": content})
    assert caught.value.detail == (
        'a.ndjson, record 9001, column "new": this key is in no record of the sample that the columns were taken from; '
        'say config.input.schema: {"new": "DOUBLE"}'
    )


def test_the_remedy_for_such_a_key_works(engine: Engine) -> None:
    content = NINE * 1000 + '{"a":1,"new":4.5}\n'
    config = {"input": {"schema": {"new": "DOUBLE"}}, "filter_condition": "new > 1", "stamp": False}
    assert (
        Engine(engine.folder, sample_bytes=1000).run({"a.ndjson": content}, config).text
        == '{"a":1,"b":null,"new":4.5}\n'
    )


def test_the_remedy_for_a_mixed_column_works(engine: Engine) -> None:
    config = {"input": {"schema": {"a": "JSON"}}, "stamp": False}
    content = '{"a":1}\n{"a":"x"}\n{"a":4.7}\n{"a":[true]}\n'
    assert engine.run({"a.ndjson": content}, config).text == content


def test_a_column_that_a_later_table_has_alone_is_an_error(engine: Engine) -> None:
    objects: dict[str, str | bytes] = {"a.csv": "a,b\n" + "1,x\n" * 500, "b.csv": "a,c\n1,2\n"}
    done = engine.run(objects)
    assert list(done.schema) == ["a", "b", "c"]
    with pytest.raises(RecordError, match=r'^b\.csv, column "c": this column is in no object .* {"c": "VARCHAR"}$'):
        Engine(engine.folder, sample_bytes=0).run(objects, {"input": {"schema": {"a": "BIGINT", "b": "VARCHAR"}}})


@pytest.mark.parametrize("text", ["4.7", "007", "x", "1e3", "9223372036854775808", "+1", " 1"])
def test_a_table_with_another_text_behind_its_sample(engine: Engine, text: str) -> None:
    content = "a,b\n" + "1,x\n" * 5000 + f"{text},y\n"
    with pytest.raises(RecordError) as caught:
        Engine(engine.folder, sample_bytes=1000).run({"a.csv": content})
    assert caught.value.detail == (
        f'a.csv, record 5001, column "a": "{text}" is no BIGINT, or would not stay the same as one; '
        'correct it, or say config.input.schema: {"a": "VARCHAR"} to keep it as it is'
    )


@pytest.mark.parametrize("text", ["x", "0.12345678901234567890", "nan", "1e999"])
def test_a_table_with_no_double_behind_its_sample(engine: Engine, text: str) -> None:
    content = "a,b\n" + "1.5,x\n" * 5000 + f"{text},y\n"
    with pytest.raises(RecordError, match=r'^a\.csv, record 5001, column "a": .* is no DOUBLE'):
        Engine(engine.folder, sample_bytes=1000).run({"a.csv": content})


@pytest.mark.parametrize(
    ("column_type", "value"),
    [("DATE", "2026-13-01"), ("DECIMAL(10,2)", "1.119"), ("BOOLEAN", "maybe"), ("TIME", "25:00"),
     ("TIMESTAMP", "x"), ("JSON", "{")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.ndjson", "a.csv"])
def test_a_value_that_is_not_of_its_stated_type(engine: Engine, name: str, column_type: str, value: str) -> None:
    content = f"a\n{value}\n" if name == "a.csv" else json.dumps({"a": value}) + "\n"
    config = {"input": {"schema": {"a": column_type}}}
    if (name, column_type) == ("a.ndjson", "JSON"):
        assert engine.run({name: content}, config).result.records_out == 1
        return
    with pytest.raises(RecordError) as caught:
        engine.run({name: content}, config)
    assert caught.value.detail.startswith(f'{name}, record 1, column "a": "{value}" is no {column_type}')


@pytest.mark.parametrize(
    ("column_type", "value"),
    [("INTEGER", 2**31), ("TINYINT", 200), ("BIGINT", 2**63), ("HUGEINT", 1.5), ("UBIGINT", -1)],
)
def test_a_number_out_of_its_stated_range(engine: Engine, column_type: str, value: float) -> None:
    with pytest.raises(RecordError, match=rf'^a\.ndjson, record 1, column "a": "{value}" is no {column_type}'):
        engine.run({"a.ndjson": json.dumps({"a": value})}, {"input": {"schema": {"a": column_type}}})


def test_a_stated_column_has_to_be_written_as_the_records_do(engine: Engine) -> None:
    with pytest.raises(PipelineError, match=r'^config\.input\.schema\.id: there is no column "id" but "Id"'):
        engine.run({"a.ndjson": '{"Id":1}\n'}, {"input": {"schema": {"id": "BIGINT"}}})


FIRST = "config.transformations[0]"
COMPUTED = [
    ({"derive": {"b": "5 // a"}}, f"{FIRST}.derive.b: Division by zero"),
    ({"derive": {"b": "5 / a"}}, "inf is no number in JSON; test for it with isfinite(x)"),
    ({"derive": {"b": "CAST(t AS BIGINT)"}}, f"{FIRST}.derive.b: 4.7 has a fraction; ROUND it first"),
    ({"cast": {"t": "BIGINT"}}, f"{FIRST}.cast.t: 4.7 has a fraction; ROUND it first"),
    ({"cast": {"d": "DATE"}}, f'{FIRST}.cast.d: "x" is no date; write YYYY-MM-DD'),
    ({"cast": {"d": "TIMESTAMP"}}, f'{FIRST}.cast.d: "x" is no timestamp; write YYYY-MM-DD HH:MM'),
    ({"derive": {"b": "CAST((1 - a) * 300 AS TINYINT)"}}, f"{FIRST}.derive.b: 300 is out of the range of TINYINT"),
    ({"filter": "CAST(d AS DATE) > DATE '2026-01-01'"}, f'{FIRST}.filter: "x" is no date'),
    ({"derive": {"b": "9223372036854775806 + n"}}, f"{FIRST}.derive.b: Overflow in addition of BIGINT"),
]


@pytest.mark.parametrize(("step", "reason"), COMPUTED, ids=lambda value: str(value)[:30])
def test_a_value_that_cant_be_computed_is_named(engine: Engine, step: dict[str, object], reason: str) -> None:
    good = '{"a":1,"t":"3","d":"2026-11-23","n":1}\n'
    content = good * 3000 + '{"a":0,"t":"4.7","d":"x","n":2}\n' + good * 10
    with pytest.raises(RecordError) as caught:
        engine.run({"first.ndjson": good, "second.ndjson": content}, {"transformations": [step]})
    assert caught.value.extensions["object"] == "second.ndjson"
    assert caught.value.extensions["record"] == 3001
    assert reason in caught.value.detail


@pytest.mark.parametrize("column_type", ["BIGINT", "UBIGINT", "TINYINT", "DOUBLE", "BOOLEAN", "DECIMAL(10,2)"])
def test_what_cant_be_cast_is_named_with_the_type_that_was_asked_for(engine: Engine, column_type: str) -> None:
    with pytest.raises(RecordError) as caught:
        engine.run({"a.csv": "b,c\nzwei,1\n"}, {"transformations": [{"cast": {"b": column_type}}]})
    assert caught.value.detail == f'a.csv, record 1, column "b": {FIRST}.cast.b: "zwei" is no {column_type}'


def test_what_fails_for_any_record_is_the_pipelines_fault(engine: Engine) -> None:
    with pytest.raises(PipelineError, match=r'^config\.transformations\[0\]\.derive\.b: "x" is no BOOLEAN'):
        engine.run({"a.ndjson": NINE}, {"transformations": [{"derive": {"b": "b OR 'x'"}}]})


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("1 // 0 > 1", "Division by zero"),
        ("CAST('x' AS BIGINT) > 1", '"x" is no BIGINT'),
        ("1e400 > 1", "1e400 is too"),
    ],
)
def test_what_is_the_same_for_each_record_is_no_records_fault(engine: Engine, expression: str, reason: str) -> None:
    with pytest.raises(PipelineError) as caught:
        engine.run({"a.ndjson": NINE}, {"filter_condition": expression})
    assert caught.value.detail.startswith(f"config.filter_condition: {reason}")


def test_the_record_is_counted_before_filters_and_sorting(engine: Engine) -> None:
    content = "".join(f'{{"a":{i}}}\n' for i in range(100)) + '{"a":-1}\n'
    steps = [{"filter": "a > 90 OR a < 0"}, {"sort": ["a"]}, {"derive": {"b": "100 // (a + 1)"}}]
    with pytest.raises(
        RecordError, match=r'^a\.ndjson, record 101, column "b": config\.transformations\[2\]\.derive\.b: '
    ):
        engine.run({"a.ndjson": content}, {"transformations": steps})


def test_no_error_shows_our_inside(engine: Engine) -> None:
    for name, content, _ in BROKEN:
        with pytest.raises(RecordError) as caught:
            engine.run({name: content})
        assert str(engine.folder) not in caught.value.detail
        assert not any(word in caught.value.detail for word in ("SELECT", "read_json", "read_csv", "LINE 1", "Error:"))


def test_an_array_has_to_be_one(engine: Engine) -> None:
    with pytest.raises(RecordError, match=r"^a, record 1: this can't be read: a JSON array starts with \"\[\"$"):
        engine.run({"a": '{"a":1}'}, {"input": {"format": "json"}})


def test_a_record_too_large_is_named(engine: Engine) -> None:
    content = '{"a":"x"}\n{"a":"' + "x" * (70 * MIB) + '"}\n'
    large = Engine(engine.folder, sample_bytes=12, memory_bytes=2000 * MIB)
    for name, text in {"a.ndjson": content, "a.json": "[" + content.replace("\n", ",", 1) + "]"}.items():
        with pytest.raises(RecordError, match=r", record 2: this can't be read: it is larger than 16 MiB$"):
            large.run({name: text})


def test_a_row_too_large_is_named(engine: Engine) -> None:
    content = "a,b,c\n1,2,3\n" + ",".join(["x" * 1_000_000] * 3) + "\n"
    with pytest.raises(RecordError, match=r"^a\.csv, record 2: it is larger than 2,000,000 bytes$"):
        Engine(engine.folder, sample_bytes=12).run({"a.csv": content})
