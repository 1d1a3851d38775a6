"""Parquet in and out: no value changes, no type is guessed, and the bytes are the same in every run."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from services.processor.domain.pipeline import parse_config
from services.processor.domain.pipeline_errors import PipelineError, RecordError
from services.processor.engine.inputs import ObjectSample
from services.processor.engine.previewing import preview
from tests.support.parquet_files import parquet
from tests.unit.processor.engine.conftest import MIB, Engine

AS_PARQUET = {"output": {"format": "parquet"}, "stamp": False}
AS_LINES = {"output": {"format": "ndjson"}, "stamp": False}
TEXTS = {
    "ndjson": '{"a":1,"b":"x"}\n{"a":2,"b":null}\n',
    "json": '[\n\t{"a":1,"b":"x"},\n\t{"a":2,"b":null}\n]\n',
    "csv": "a,b\n1,x\n2,\n",
}


def rows(folder: Path, content: bytes, shown: str = "*") -> list[tuple[object, ...]]:
    path = folder / "read.parquet"
    path.write_bytes(content)
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {shown} FROM read_parquet('{path}')").fetchall()  # noqa: S608


@pytest.mark.parametrize("name", TEXTS)
def test_any_format_becomes_parquet_and_back(engine: Engine, name: str) -> None:
    packed = engine.run({f"in.{name}.gz": gzip.compress(TEXTS[name].encode())}, AS_PARQUET).content
    assert rows(engine.folder, packed) == [(1, "x"), (2, None)]
    back = {"output": {"format": name}, "stamp": False}
    assert engine.run({"noname": packed}, back).text == TEXTS[name]
    assert rows(engine.folder, engine.run({"in.parquet": packed}).content) == [(1, "x"), (2, None)]


def test_the_bytes_do_not_depend_on_threads_or_memory(new_engine: Callable[..., Engine]) -> None:
    lines = b"".join(b'{"a":%d,"b":"%d","c":%d.5}\n' % (i, i * 7919 % 10007, i) for i in range(400_000))
    config = {"filter_condition": "a % 7 < 5", **AS_PARQUET}
    limits = [(1, 400), (2, 400), (4, 400), (4, 300)]
    made = {
        new_engine(threads=threads, memory_bytes=mib * MIB).run({"a.ndjson": lines}, config).content
        for threads, mib in limits
    }
    assert len(made) == 1
    [(groups,)] = rows(Path(new_engine().folder), made.pop(), "count(*)")
    assert groups == 285_715


TYPES = {
    "TINYINT": "-128", "SMALLINT": "-32768", "INTEGER": "-2147483648", "BIGINT": "9223372036854775807",
    "UBIGINT": "18446744073709551615", "BOOLEAN": "true", "DOUBLE": "-0.0", "DECIMAL(38,2)": "0.10",
    "VARCHAR": "é\U0001f600", "DATE": "2026-11-25", "TIME": "23:59:59.999999",
    "TIMESTAMP": "2026-11-25 01:02:03.000004",
    "TIMESTAMPTZ": "2026-11-25 01:02:03+02", "JSON": '{"x":[1,null]}', "BIGINT[]": "[1, NULL]",
    "VARCHAR[][]": "[[a]]",
}  # fmt: skip


@pytest.mark.parametrize("column_type", TYPES)
def test_a_column_keeps_its_type_and_values(engine: Engine, column_type: str) -> None:
    value = f"CAST('{TYPES[column_type]}' AS {column_type})"
    content = parquet(engine.folder, f"SELECT {value} AS v UNION ALL SELECT NULL")
    done = engine.run({"in.parquet": content})
    assert done.schema == {"v": column_type}
    shown = "CAST(v AS VARCHAR)"
    assert rows(engine.folder, done.content, shown) == rows(engine.folder, content, shown)


@pytest.mark.parametrize(
    ("value", "column_type", "text"),
    [
        ("0.1::FLOAT", "DOUBLE", "0.10000000149011612"),
        ("255::UTINYINT", "SMALLINT", "255"),
        ("65535::USMALLINT", "INTEGER", "65535"),
        ("4294967295::UINTEGER", "BIGINT", "4294967295"),
        (
            "'123e4567-e89b-12d3-a456-426614174000'::UUID",
            "VARCHAR",
            '"123e4567-e89b-12d3-a456-426614174000"',
        ),
        ("TIMESTAMP_NS '2026-11-25 01:02:03.000004'", "TIMESTAMP", '"2026-11-25 01:02:03.000004"'),
        ("[1.5::FLOAT]", "DOUBLE[]", "[1.5]"),
        ("NULL", "VARCHAR", "null"),
    ],
)
def test_a_type_that_we_lack_is_read_as_one_that_keeps_it(
    engine: Engine, value: str, column_type: str, text: str
) -> None:
    done = engine.run({"in.parquet": parquet(engine.folder, f"SELECT {value} AS v")}, AS_LINES)
    assert (done.schema, done.text) == ({"v": column_type}, f'{{"v":{text}}}\n')


@pytest.mark.parametrize("value", ["'x'::BLOB", "{'a': 1}", "MAP {'a': 1}", "INTERVAL 1 DAY", "TIMETZ '10:00:00+02'"])
def test_a_type_that_nothing_keeps_is_an_error(engine: Engine, value: str) -> None:
    content = parquet(engine.folder, f"SELECT 1 AS first, {value} AS v")
    with pytest.raises(RecordError, match=r'^in\.parquet, column "v": its type, .* is none .*; write the file without'):
        engine.run({"in.parquet": content})


def test_what_would_change_is_an_error(engine: Engine) -> None:
    content = parquet(engine.folder, "SELECT TIMESTAMP_NS '2026-11-25 01:02:03.000000004' AS v")
    with pytest.raises(RecordError, match=r'record 1, column "v": "2026-11-25 01:02:03.000000004" is no TIMESTAMP'):
        engine.run({"in.parquet": content})
    config = {"input": {"schema": {"v": "VARCHAR"}}, **AS_LINES}
    assert engine.run({"in.parquet": content}, config).text == '{"v":"2026-11-25 01:02:03.000000004"}\n'


def test_what_a_file_calls_json_has_to_be(engine: Engine) -> None:
    text = parquet(engine.folder, "SELECT 'no json' AS v")
    with pytest.raises(RecordError, match=r'record 1, column "v": "no json" is no JSON'):
        engine.run({"in.parquet": text}, {"input": {"schema": {"v": "JSON"}}, "stamp": False})
    called = text.replace(b"v\x25\x00", b"v\x25\x26", 1)
    assert engine.run({"in.parquet": called.replace(b"no json", b"[12345]")}).schema == {"v": "JSON"}
    with pytest.raises(RecordError, match=r"^in\.parquet: a part of it is damaged, .* no JSON where"):
        engine.run({"in.parquet": called})


def test_numbers_of_128_bits_become_decimals(engine: Engine) -> None:
    config = {"input": {"schema": {"v": "HUGEINT"}}, **AS_PARQUET}
    done = engine.run({"in.ndjson": f'{{"v":{"9" * 38}}}\n'}, config)
    assert rows(engine.folder, done.content, "CAST(v AS VARCHAR), typeof(v)") == [("9" * 38, "DECIMAL(38,0)")]
    lists = engine.run({"in.ndjson": '{"v":[1]}\n'}, {"input": {"schema": {"v": "HUGEINT[]"}}, **AS_PARQUET})
    assert rows(engine.folder, lists.content, "typeof(v)") == [("DECIMAL(38,0)[]",)]
    with pytest.raises(RecordError, match=r'record 1, column "v": .*DECIMAL\(38,0\)'):
        engine.run({"in.ndjson": f'{{"v":1{"0" * 38}}}\n'}, config)


def test_a_number_that_is_none_passes_between_parquets_but_not_to_json(engine: Engine) -> None:
    content = parquet(engine.folder, "SELECT 'nan'::DOUBLE AS v UNION ALL SELECT '-inf'::DOUBLE")
    assert rows(engine.folder, engine.run({"in.parquet": content}).content, "CAST(v AS VARCHAR)") == [
        ("nan",),
        ("-inf",),
    ]
    with pytest.raises(RecordError, match="is no number in JSON"):
        engine.run({"in.parquet": content}, AS_LINES)


def test_objects_may_differ_where_no_value_changes(engine: Engine) -> None:
    small = parquet(engine.folder, "SELECT 1::TINYINT AS a, 'x' AS b")
    wide = parquet(engine.folder, "SELECT 9000000000 AS a")
    assert engine.run({"1.parquet": small, "2.parquet": wide}, AS_LINES).text == (
        '{"a":1,"b":"x"}\n{"a":9000000000,"b":null}\n'
    )
    text = parquet(engine.folder, "SELECT '007' AS a")
    with pytest.raises(RecordError, match=r'^2\.parquet, record 1, column "a": "007" is no TINYINT'):
        engine.run({"1.parquet": small, "2.parquet": text})


def test_a_column_that_no_sample_had_is_an_error(engine: Engine) -> None:
    content = parquet(engine.folder, "SELECT 1 AS a, 2 AS b")
    unseen = Engine(engine.folder, sample_bytes=0)
    with pytest.raises(RecordError, match=r'column "b": .*config\.input\.schema: {"b": "INTEGER"}'):
        unseen.run({"in.parquet": content}, {"input": {"schema": {"a": "INTEGER"}}})
    assert unseen.run({"in.parquet": ""}, {"input": {"schema": {"a": "INTEGER"}}}).result.records_in == 0


@pytest.mark.parametrize(("second", "named"), [("A", "A"), ("a", "a")])
def test_names_that_clash_are_an_error(engine: Engine, second: str, named: str) -> None:
    content = parquet(engine.folder, "SELECT 1 AS a, {'x': 1} AS s, 2 AS b").replace(
        b"\x01b", b"\x01" + second.encode()
    )
    with pytest.raises(RecordError, match=rf'column "{named}": another column has this name'):
        engine.run({"in.parquet": content})


def test_what_is_no_parquet_is_an_error(engine: Engine) -> None:
    whole = parquet(engine.folder, "SELECT i AS a FROM range(1000) r(i)", "FORMAT parquet, COMPRESSION snappy")
    for content in (whole[:-1], whole[:4], b"a,b\n1,2\n", whole[:4] + whole[-8:]):
        with pytest.raises(
            RecordError, match=r"^in\.parquet: this is no whole Parquet file; write and upload it again"
        ):
            engine.run({"in.parquet": content})
    broken_page = whole[:30] + bytes(200) + whole[230:]
    with pytest.raises(RecordError, match=r"^in\.parquet: a part of it is damaged"):
        engine.run({"in.parquet": broken_page})
    with pytest.raises(RecordError, match="parquet within gzip; unpack it"):
        engine.run({"in.parquet.gz": gzip.compress(whole)})


def test_parquet_takes_no_compression_around_it(engine: Engine) -> None:
    config = {"output": {"format": "parquet", "compression": "gzip"}}
    with pytest.raises(PipelineError, match=r"^config\.output\.compression: parquet packs its columns itself"):
        engine.run({"in.csv": TEXTS["csv"]}, config)


def test_no_records_are_a_file_with_the_columns(engine: Engine) -> None:
    for objects, config in (
        ({"in.csv": "a,b\n"}, AS_PARQUET),
        ({"in.csv": TEXTS["csv"]}, {"filter_condition": "a > 9", **AS_PARQUET}),
    ):
        done = engine.run(objects, config)
        assert rows(engine.folder, done.content) == []
        assert rows(engine.folder, done.content, "count(a), count(b)") == [(0, 0)]
    with pytest.raises(PipelineError, match=r"^config\.output\.format: there are no records, so no columns"):
        engine.run({"in.json": "[]"}, AS_PARQUET)


def test_the_footer_of_a_large_object_is_enough_to_plan(engine: Engine) -> None:
    content = parquet(engine.folder, "SELECT i AS a, md5(i::VARCHAR) AS b FROM range(1000) r(i)")
    small = Engine(engine.folder, sample_bytes=100)
    done = small.run({"in.parquet": content}, {"transformations": [{"limit": 1}], **AS_LINES})
    assert done.text == '{"a":0,"b":"cfcd208495d565ef66e7dff9f98764da"}\n'
    whole = ObjectSample("in.parquet", content, is_whole=True)
    shown = preview(parse_config({}), [whole], [], 1, processed_at="NOW", limits=small.limits)
    assert shown.records_in == [json.loads(done.text)]


def test_a_preview_of_a_large_object_reads_the_first_records_of_a_row_group(engine: Engine) -> None:
    content = parquet(engine.folder, "SELECT i AS a FROM range(20000) r(i)")
    (engine.folder / "group").write_bytes(content)
    sample = ObjectSample("in.parquet", content[:100], False, content[-2048:], engine.folder / "group")
    counted = parse_config({"transformations": [{"aggregate": {"measures": {"n": "MAX(a)"}}}], "stamp": False})
    shown = preview(counted, [sample], [], 2, processed_at="NOW", limits=engine.limits)
    assert (shown.records_in, shown.records_out) == ([{"a": 0}, {"a": 1}], [{"n": 9_999}])
    assert shown.warnings[0] == "only the first records of in.parquet were read"


def test_a_footer_that_is_too_large_is_an_error_before_the_engine_reads_it(engine: Engine) -> None:
    content = parquet(engine.folder, "SELECT 1 AS a", "FORMAT parquet, KV_METADATA {k: repeat('x', 17_000_000)}")
    with pytest.raises(RecordError, match=r"^in\.parquet: its footer takes 17,\d+,\d+ bytes, more than the 16,777,216"):
        engine.run({"in.parquet": content})
